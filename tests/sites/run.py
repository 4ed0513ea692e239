"""Other people's tests, before and after their gradient is anygrad's.

    python tests/sites/run.py librosa

runs those tests of a released package that reach a gradient, once as they are, and once
with each call replaced as `sites.toml` says: in the text of the module, when it is
imported.  Nothing that passed may fail, but for what is listed there with its reason.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.machinery
import importlib.util
import json
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).parent
SITES: Mapping[str, Any] = tomllib.loads((HERE / "sites.toml").read_text("utf-8"))


def replaced(source: str, call: Mapping[str, Any]) -> str:
    """Return the text of a module with one call, or one function's body, replaced."""
    if "old" in call:
        count = source.count(call["old"])
        if count != call.get("times", 1):
            msg = f"{call['old']!r} is there {count} times in {call['module']}"
            raise ValueError(msg)
        return source.replace(call["old"], call["new"])
    node: Any = ast.parse(source)
    for name in call["body_of"].split("."):
        (node,) = (part for part in node.body if getattr(part, "name", None) == name)
    body = textwrap.indent(call["new"], " " * node.body[0].col_offset)
    lines = source.splitlines()
    return "\n".join(
        [*lines[: node.body[0].lineno - 1], body, *lines[node.end_lineno :], ""]
    )


class Edited(importlib.machinery.SourceFileLoader):
    """Load a module from its text, with the calls in it replaced."""

    calls: Sequence[Mapping[str, Any]] = ()

    def get_code(self, fullname: str) -> Any:
        """Compile the text, never taking what Python has compiled before."""
        source = self.get_data(self.path).decode("utf-8")
        for call in self.calls:
            source = replaced(source, call)
        return compile(source, self.path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        """Give the module the name that its calls have now."""
        import anygrad

        module.__dict__["anygrad"] = anygrad
        super().exec_module(module)


class Editor(importlib.abc.MetaPathFinder):
    """Find the modules with calls to replace."""

    def __init__(self, calls: Iterable[Mapping[str, Any]]) -> None:
        self.calls: dict[str, list[Mapping[str, Any]]] = {}
        for call in calls:
            self.calls.setdefault(call["module"], []).append(call)
        self.met: set[str] = set()

    def find_spec(
        self, fullname: str, path: Any, target: ModuleType | None = None
    ) -> Any:
        """Return where the module is, with a loader of ours."""
        if fullname not in self.calls:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            return None
        self.met.add(fullname)
        loader = Edited(fullname, spec.origin)
        loader.calls = self.calls[fullname]
        return importlib.util.spec_from_file_location(
            fullname,
            spec.origin,
            loader=loader,
            submodule_search_locations=spec.submodule_search_locations,
        )


class Outcomes:
    """What pytest says of each test."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep what the call says, or the phase that stopped it."""
        if report.when == "call" or report.outcome != "passed":
            file, _, test = report.location
            word = report.outcome
            if hasattr(report, "wasxfail"):
                word = "xpassed" if word == "passed" else "xfailed"
            self.found[f"{Path(file).name}::{test}"] = word


def run_once(site: Mapping[str, Any], *, is_edited: bool, outcomes: Path) -> None:
    """Run the tests in this process, and write down how each ended."""
    import pytest

    if is_edited:
        editor = Editor(site["calls"])
        sys.meta_path.insert(0, editor)
    record = Outcomes()
    empty = outcomes.with_name("empty.ini")  # no settings of ours, and none of theirs
    empty.write_text("[pytest]\n", encoding="utf-8")
    options = ["-q", "-rfE", "--tb=short", "--assert=plain", "--disable-warnings"]
    options += [f"--config-file={empty}", "--rootdir=.", "-p", "no:cacheprovider"]
    pytest.main([*options, *site["tests"]], plugins=[record])
    if is_edited and editor.met != set(editor.calls):
        sys.exit(f"never imported: {sorted(set(editor.calls) - editor.met)}")
    outcomes.write_text(json.dumps(record.found), encoding="utf-8")


def outcomes(name: str, *, is_edited: bool, folder: str | None) -> dict[str, str]:
    """Run the tests in a process of their own, where nothing is imported yet."""
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary, "outcomes.json")
        command = [sys.executable, str(Path(__file__).resolve()), name]
        command += ["--into", str(file), *(["--edited"] if is_edited else [])]
        subprocess.run(command, check=True, cwd=folder or temporary)
        return dict(json.loads(file.read_text(encoding="utf-8")))


def differences(
    before: Mapping[str, str], after: Mapping[str, str], known: Mapping[str, str]
) -> list[str]:
    """Return what has changed for the worse against expectation, and the reverse."""
    fine = {"passed", "xpassed", "skipped", "xfailed"}
    lines = [f"{test} fails as it is" for test in before if before[test] not in fine]
    worse = {test for test in before if after.get(test) not in fine}
    expected = {test for test in before if any(part in test for part in known)}
    lines += [f"{test} passes, and is said not to" for test in expected - worse]
    worse -= expected
    lines += [f"{test}: {before[test]} -> {after.get(test)}" for test in worse]
    if not before or before.keys() != after.keys():
        lines.append("no test was found, or not the same ones")
    return sorted(lines)


def counted(found: Mapping[str, str]) -> str:
    """Return how many tests ended how."""
    words = sorted(Counter(found.values()).items())
    return ", ".join(f"{number} {word}" for word, number in words)


def main() -> int:
    """Run one site and say what differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("site", choices=SITES)
    parser.add_argument("--folder", help="where the source distribution is unpacked")
    parser.add_argument("--edited", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    site = SITES[options.site]
    if options.into is not None:
        run_once(site, is_edited=options.edited, outcomes=options.into)
        return 0
    for requirement in site["requires"]:
        package, _, pinned = requirement.partition("==")
        found = version(package.partition("[")[0]).partition("+")[0]
        if pinned and found != pinned:
            sys.exit(f"{requirement} is not what is installed")
    before = outcomes(options.site, is_edited=False, folder=options.folder)
    after = outcomes(options.site, is_edited=True, folder=options.folder)
    print(f"{options.site}: {counted(before)} -> {counted(after)}")
    lines = differences(before, after, site.get("differs", {}))
    print("\n".join(lines))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
