"""Where frames come from: camera, video file or stream, folder of images."""
