"""The databases that can be imported, by name; the module of each is brought in when it is used.

A module reads what the owners hand out as it lies there: `read(root)` gives the clip table with its import report,
`recognises(root)` tells by the folders' names whether its database lies under `root`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import cast

from engines.errors import BadInput
from trainers.annotations import ClipTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One database, or one part of a database that is scored on its own."""

    name: str
    """Short name, as in `Clip.dataset`."""
    title: str
    """As its owners call it."""
    citation: str
    frame_rate_hz: float
    """0 where each row of the table has its own."""
    layout: str
    """What lies under the root: folders and coding table, for messages and help."""
    labels: str
    """What the owners coded."""
    module: str
    """Under `trainers.datasets`."""
    part: str = ""
    """Suffix of the module's functions where it reads several data sets: "_hs" for `read_hs`, `recognises_hs`."""

    def read(self, root: Path) -> ClipTable:
        """Import the database.

        Args:
            root: its folder.

        Returns:
            The clips, and every row that was repaired or rejected.

        Raises:
            BadInput: in one line, if the folder or its table is not there, or no row gives a clip.
        """
        self._check(root)
        return cast("Callable[[Path], ClipTable]", self._function("read"))(root.absolute())

    def recognises(self, root: Path) -> bool:
        """Whether the database's folders lie under a root; False where there is no such root."""
        return root.is_dir() and cast("Callable[[Path], bool]", self._function("recognises"))(root.absolute())

    def _check(self, root: Path) -> None:
        if not root.is_dir():
            raise BadInput(f"folder {root} is not there: give the folder of {self.title} that holds {self.layout}")

    def _function(self, name: str) -> object:
        return getattr(import_module(f"trainers.datasets.{self.module}"), name + self.part)


_SMIC = "Li et al., A spontaneous micro-expression database: inducement, collection and baseline, FG 2013"
_SMIC_LABELS = "negative, positive, surprise; no apex, no action units"

_KNOWN = (
    Database(
        name="casme2",
        title="CASME II",
        citation="Yan et al., CASME II: an improved spontaneous micro-expression database and the baseline evaluation, "
        "PLoS ONE 9(1), 2014",
        frame_rate_hz=200.0,
        layout="Cropped/sub01/EP02_01f/reg_img46.jpg (or CASME2_RAW_selected) and the coding table",
        labels="happiness, surprise, disgust, repression, sadness, fear, others; objective classes in the 2019 table",
        module="casme2",
    ),
    Database(
        name="smic-hs",
        title="SMIC HS",
        citation=_SMIC,
        frame_rate_hz=100.0,
        layout="HS/s01/micro/negative/s1_ne_01 (or HS_long/SMIC_HS_E/s01/s01_ne_01) and the coding table",
        labels=_SMIC_LABELS,
        module="smic",
        part="_hs",
    ),
    Database(
        name="smic-vis",
        title="SMIC VIS",
        citation=_SMIC,
        frame_rate_hz=25.0,
        layout="VIS/s11/micro/negative/s11_ne_01 and the coding table",
        labels=_SMIC_LABELS,
        module="smic",
        part="_vis",
    ),
    Database(
        name="smic-nir",
        title="SMIC NIR",
        citation=_SMIC,
        frame_rate_hz=25.0,
        layout="NIR/s11/micro/negative/s11_ne_01 and the coding table",
        labels=_SMIC_LABELS,
        module="smic",
        part="_nir",
    ),
    Database(
        name="samm",
        title="SAMM",
        citation="Davison et al., SAMM: a spontaneous micro-facial movement dataset, IEEE Transactions on Affective "
        "Computing 9(1), 2018",
        frame_rate_hz=200.0,
        layout="SAMM/006/006_1_2/006_05562.jpg and the coding table",
        labels="anger, contempt, disgust, fear, happiness, sadness, surprise, other; objective classes",
        module="samm",
    ),
    Database(
        name="casme-square",
        title="CAS(ME)²",
        citation="Qu et al., CAS(ME)²: a database for spontaneous macro-expression and micro-expression spotting and "
        "recognition, IEEE Transactions on Affective Computing 9(4), 2018",
        frame_rate_hz=30.0,
        layout="rawpic/s15/15_0101disgustingteeth/img001.jpg and the coding table with its naming rules",
        labels="negative, positive, surprise, others; micro and macro",
        module="casme_square",
    ),
    Database(
        name="samm-long-videos",
        title="SAMM Long Videos",
        citation="Yap et al., SAMM long videos: a spontaneous facial micro- and macro-expressions dataset, FG 2020",
        frame_rate_hz=200.0,
        layout="SAMM_longvideos/006_1/006_1_0001.jpg and the coding table",
        labels="emotions of SAMM for its micro-expressions; micro and macro",
        module="samm_long_videos",
    ),
    Database(
        name="casme3",
        title="CAS(ME)³ part A",
        citation="Li et al., CAS(ME)³: a third generation facial spontaneous micro-expression database with depth "
        "information and high ecological validity, IEEE TPAMI 45(3), 2023",
        frame_rate_hz=30.0,
        layout="part_A/spNO.1/a/color/175.jpg and the coding table",
        labels="happy, surprise, disgust, fear, sad, anger, others; objective classes",
        module="casme3",
    ),
    Database(
        name="mmew",
        title="MMEW",
        citation="Ben et al., Video-based facial micro-expression analysis: a survey of datasets, features and "
        "algorithms, IEEE TPAMI 44(9), 2022",
        frame_rate_hz=90.0,
        layout="Micro_Expression/happiness/S01-01-001/1.jpg and the coding table",
        labels="happiness, surprise, anger, disgust, fear, sadness, others",
        module="mmew",
    ),
    Database(
        name="own",
        title="own recordings",
        citation="",
        frame_rate_hz=0.0,
        layout="folders of frames and a table with the columns subject, clip, folder, onset, apex, offset, label, "
        "frame_rate_hz",
        labels="whatever the table says",
        module="own",
    ),
)

DATABASES: Mapping[str, Database] = MappingProxyType({known.name: known for known in _KNOWN})
"""Every database by its name."""


def database(name: str) -> Database:
    """A database by its name.

    Raises:
        BadInput: listing the names, if it is none of them.
    """
    if name not in DATABASES:
        raise BadInput(f"database {name!r} is unknown; choose among {', '.join(DATABASES)}")
    return DATABASES[name]


def recognise(root: Path) -> Database:
    """The database that lies under a root.

    Args:
        root: folder of one database.

    Returns:
        The only one whose layout is there.

    Raises:
        BadInput: in one line, if it is none of them or more than one.
    """
    if not root.is_dir():
        raise BadInput(f"folder {root} is not there: give the folder of a database")
    found = [known for known in DATABASES.values() if known.recognises(root)]
    if not found:
        looked_for = "; ".join(f"{known.name}: {known.layout}" for known in DATABASES.values())
        raise BadInput(f"folder {root} holds none of the databases; looked for {looked_for}")
    if len(found) > 1:
        names = ", ".join(known.name for known in found)
        raise BadInput(
            f"folder {root} holds several data sets ({names}): name those that are meant, as in "
            f"`onset prepare {found[0].name}` or `onset train --datasets {found[0].name}`"
        )
    return found[0]
