"""The input of a model made on the graphics card: from two face images to class probabilities without leaving it.

Small kernels, each the counterpart of a function of `engines.inputs` or `engines.classification`, which are the oracle;
`engines.card_reading` runs them in order.
"""
