"""The seam between the two TensorRTs: what each is asked for, and what is said where one is missing."""

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from engines.errors import BackendUnavailable, BadInput
from engines.tensorrt import flavour as flavour_module
from engines.tensorrt.flavour import chosen_flavour, installed_flavours, unusable_flavours
from tests.engines.tensorrt.fake_tensorrt import NO_CARD, Behaviour, fake_card, fake_flavour, fake_module


def test_capabilities_are_read_off_the_release() -> None:
    assert fake_flavour("rtx").capabilities == ("8.6", "8.9", "12.0")
    assert fake_flavour("rtx").builds_without_card


def test_datacenter_serves_this_machines_card_alone() -> None:
    hopper = fake_flavour("datacenter", "10.13.2.6", card=fake_card((9, 0)))
    assert hopper.capabilities == ("9.0",)
    assert not hopper.builds_without_card
    assert fake_flavour("datacenter", "10.13.2.6", card=NO_CARD).capabilities == ()


@pytest.mark.parametrize(("asks", "flags"), [(True, 2), (False, 0)], ids=["release 10", "a release without the flag"])
def test_networks_are_strongly_typed(asks: bool, flags: int) -> None:
    asked: list[object] = []
    flavour = fake_flavour("datacenter", asked=asked, behaviour=Behaviour(asks_for_strong_typing=asks))
    flavour.new_network(flavour.module.Builder(None))
    assert asked == [("network", flags)]


def test_the_real_flag_is_the_bit_that_is_asked_for(rtx: flavour_module.Flavour) -> None:
    assert 1 << int(rtx.module.NetworkDefinitionCreationFlag.STRONGLY_TYPED) > 0
    assert {"7.5", "8.6", "8.9", "12.0"} <= set(rtx.capabilities)
    assert list(rtx.capabilities) == sorted(rtx.capabilities, key=float)


@pytest.mark.parametrize(("has_tf32", "cleared"), [(True, [("clear", "TF32")]), (False, [])])
def test_tf32_is_off_where_there_is_such_a_thing(has_tf32: bool, cleared: list[object]) -> None:
    asked: list[object] = []
    flavour = fake_flavour(asked=asked, behaviour=Behaviour(has_tf32=has_tf32))
    flavour.keep_full_float32(flavour.module.Builder(None).create_builder_config())
    assert asked == cleared


def test_only_rtx_is_told_its_cards() -> None:
    asked: list[object] = []
    rtx = fake_flavour("rtx", asked=asked)
    rtx.target(rtx.module.Builder(None).create_builder_config(), ("8.6", "12.0"))
    assert asked == [("capability", "SM86", 0, 2), ("capability", "SM120", 1, 2)]
    asked.clear()
    datacenter = fake_flavour("datacenter", asked=asked)
    datacenter.target(datacenter.module.Builder(None).create_builder_config(), ("9.0",))
    assert asked == []


def test_a_refused_card_is_named() -> None:
    rtx = fake_flavour("rtx", behaviour=Behaviour(refuses="SM89"))
    with pytest.raises(BadInput, match=r"^compute capability 8\.9: TensorRT for RTX 1\.7\.1\.116 refuses it"):
        rtx.target(rtx.module.Builder(None).create_builder_config(), ("8.9",))


def test_the_first_or_the_named_one_is_taken() -> None:
    both = [fake_flavour("rtx"), fake_flavour("datacenter", card=fake_card())]
    assert chosen_flavour(None, both).name == "rtx"
    assert chosen_flavour("datacenter", both).name == "datacenter"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (None, "TensorRT is not installed: pip install 'onset-live[tensorrt]'"),
        ("rtx", "TensorRT for RTX is not installed: pip install 'onset-live[tensorrt]'"),
        ("datacenter", "datacenter TensorRT is not installed: pip install 'onset-live[tensorrt-datacenter]'"),
    ],
)
def test_a_missing_one_names_its_extra(name: str | None, line: str) -> None:
    with pytest.raises(BackendUnavailable) as fault:
        chosen_flavour(name, [])
    assert str(fault.value) == line


def test_an_unknown_one_is_named() -> None:
    with pytest.raises(BadInput, match="flavour 'lean' is unknown: use one of rtx, datacenter"):
        chosen_flavour("lean")


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType | Exception]]:
    """Packages that seem to be installed; an exception is what importing one raises."""
    found: dict[str, ModuleType | Exception] = {}

    def load(name: str) -> ModuleType:
        package = found[name]
        if isinstance(package, Exception):
            raise package
        return package

    monkeypatch.setattr(importlib.util, "find_spec", found.get)
    monkeypatch.setattr(importlib, "import_module", load)
    flavour_module._examined.cache_clear()
    yield found
    flavour_module._examined.cache_clear()


def test_rtx_comes_first(packages: dict[str, ModuleType | Exception]) -> None:
    packages["tensorrt"] = fake_module("11.0.0.1", [])
    packages["tensorrt_rtx"] = fake_module("1.7.1.116", [])
    assert [(found.name, found.version) for found in installed_flavours()] == [
        ("rtx", "1.7.1.116"),
        ("datacenter", "11.0.0.1"),
    ]
    assert unusable_flavours() == []


def test_one_that_does_not_load_is_told_and_never_raises(packages: dict[str, ModuleType | Exception]) -> None:
    packages["tensorrt_rtx"] = OSError("libcudart.so.13: cannot open shared object file\nand more")
    assert installed_flavours() == []
    assert unusable_flavours() == [
        "TensorRT for RTX is installed but does not load: libcudart.so.13: cannot open shared object file"
    ]
    with pytest.raises(BackendUnavailable, match=r"not installed \(TensorRT for RTX is installed but does not load"):
        chosen_flavour()


def test_an_old_release_is_told(packages: dict[str, ModuleType | Exception]) -> None:
    packages["tensorrt"] = fake_module("8.6.1", [])
    assert installed_flavours() == []
    assert unusable_flavours() == ["datacenter TensorRT 8.6.1 is too old: install release 10 or newer"]


def test_nothing_installed_is_no_fault(packages: dict[str, ModuleType | Exception]) -> None:
    assert packages == {}
    assert installed_flavours() == []
    assert unusable_flavours() == []


def test_importing_loads_no_tensorrt() -> None:
    script = (
        "import sys, demo.cli, demo.commands.build, engines.tensorrt.build, engines.tensorrt.store\n"
        "assert not {'tensorrt', 'tensorrt_rtx', 'onnx', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
