"""Turning the CUDA kernels that CuPy generates into functions of the CPU.

The source stays nearly as it is: ``cuda_on_host.h`` gives a meaning to what is
not C++. What is added, behind it, is a function for each kernel that the
pretended driver can call, since it knows the arguments as an array of pointers
only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from . import _compiler

_EXTERN_C_BLOCK = re.compile(r'extern\s+"C"\s*\{')
_KERNEL = re.compile(
    r"""
    (?P<extern>extern\s+"C"\s+)?
    __global__\s+
    (?:__launch_bounds__\s*\([^)]*\)\s*)?
    void\s+
    (?:__launch_bounds__\s*\([^)]*\)\s*)?
    (?P<name>\w+)\s*\(
    """,
    re.VERBOSE,
)
_DYNAMIC_SHARED = re.compile(
    r"extern\s+__shared__\s+(?:__align__\s*\(\w+\)\s*)?"
    r"(?P<type>[\w:<>\s]+?)\s+(?P<name>\w+)\s*\[\s*\]\s*;"
)
#: What a kernel holds whose threads wait for one another.
_WAITING = re.compile(r"__sync|__shfl|__ballot_sync|__any_sync|__all_sync")
#: The loop of CuPy's elementwise kernels, over all elements of the grid.
_GRID_LOOP = re.compile(r"\bCUPY_FOR\s*\(")

#: Must be ``launcher_prefix`` of ``launch.h``.
_LAUNCHER_PREFIX = "cupy_on_cpu_launch_"
_LAUNCHER = """
extern "C" void {symbol}(void** arguments, const cupy_on_cpu::LaunchSize* size) {{
  cupy_on_cpu::launch<cupy_on_cpu::Threads::{threads}>({kernel}, arguments, size);
}}
"""


class HostSource(NamedTuple):
    """What `to_host` makes of a CUDA source.

    Attributes
    ----------
    text : str
        C++ for the CPU.
    label : str
        A name for it: that of the first kernel.
    names : dict of str to str
        From each expression that names a kernel to the name that the driver
        knows it by.
    """

    text: str
    label: str
    names: dict[str, str]


def to_host(source: str, expressions: Sequence[str] = ()) -> HostSource:
    """Return C++ for the CPU, with functions that launch the kernels.

    All lines keep their numbers.

    Parameters
    ----------
    source : str
        CUDA C++.
    expressions : sequence of str, optional
        Kernels that are named by an expression, such as ``f<float>``.

    Returns
    -------
    HostSource
        The C++ and the names of the kernels.
    """
    kernels: dict[str, str] = {}
    in_block = _EXTERN_C_BLOCK.search(source) is not None

    def rename(match: re.Match[str]) -> str:
        """Give a kernel a name that no function of its source has as well."""
        if not match["extern"] and not in_block:
            return match[0]
        name = match["name"]
        kernels[name] = f"cupy_on_cpu_kernel_{name}"
        start, end = match.span("name")
        return source[match.start() : start] + kernels[name] + source[end : match.end()]

    text = _KERNEL.sub(rename, source)
    label = next(iter(kernels), "kernel")
    names = {expression: f"expression_{i}" for i, expression in enumerate(expressions)}
    kernels.update({name: expression for expression, name in names.items()})
    text = _DYNAMIC_SHARED.sub(_dynamic_shared_pointer, text)
    threads = _kind_of_threads(source, len(kernels))
    launchers = [
        _LAUNCHER.format(symbol=_LAUNCHER_PREFIX + name, threads=threads, kernel=kernel)
        for name, kernel in kernels.items()
    ]
    return HostSource(text + "\n" + "".join(launchers), label, names)


def _kind_of_threads(source: str, kernel_count: int) -> str:
    """Return which of ``cupy_on_cpu::Threads`` the kernels need."""
    if _WAITING.search(source):
        return "waiting_for_one_another"
    if kernel_count == 1 and _GRID_LOOP.search(source):
        return "one"
    return "independent"


def _dynamic_shared_pointer(match: re.Match[str]) -> str:
    """Return the declaration of an array whose size the launch gives."""
    kind, name = match["type"], match["name"]
    memory = "cupy_on_cpu::dynamic_shared_memory"
    return f"{kind}* {name} = reinterpret_cast<{kind}*>({memory});"


def _used_options(options: Sequence[str]) -> list[str]:
    """Return those options for NVRTC that mean something to a C++ compiler.

    Folders of headers are left out: they are those of CuPy, which we know, and
    those of CUDA, which must not be used.
    """
    return [option for option in options if option.startswith(("-D", "-U"))]


class KernelCompiler:
    """Stands in the place of ``cupy.cuda.compiler._compile_with_cache_cuda``.

    Parameters
    ----------
    cupy : module
        CuPy.

    Attributes
    ----------
    compiled : int
        How many modules were compiled, and not found in the cache.
    loaded : int
        How many modules were asked for.
    """

    def __init__(self, cupy: ModuleType) -> None:
        self.compiled = 0
        self.loaded = 0
        self._new_module = cupy.cuda.function.Module
        self._error = cupy.cuda.compiler.CompileException
        self._headers = Path(cupy.__file__ or "").parent / "_core" / "include"

    def __call__(
        self,
        source: str,
        options: Sequence[str],
        arch: str | None = None,
        extra_source: str | None = None,
        backend: str = "nvrtc",
        enable_cooperative_groups: bool = False,
        name_expressions: Sequence[str] | None = None,
        log_stream: Any = None,
        cache_in_memory: bool = False,
        jitify: bool = False,
        to_ltoir: bool = False,
    ) -> Any:
        """Return a ``cupy.cuda.function.Module``, compiled or from the cache."""
        if enable_cooperative_groups or jitify or to_ltoir:
            raise NotImplementedError(
                "cupy_on_cpu has neither cooperative groups nor Jitify nor LTO"
            )
        host = to_host(source, name_expressions or ())
        used_options = _used_options(options)
        try:
            library, new = _compiler.build_kernels(
                host.text, host.label, options=used_options, cupy_headers=self._headers
            )
        except _compiler.CompilationError as error:
            message = f"{host.label!r} does not compile on the CPU:\n{error}"
            raise self._error(
                message, source, f"{host.label}.cu", used_options, backend
            ) from None
        self.loaded += 1
        self.compiled += new
        module = self._new_module()
        module.load(str(library).encode())
        if host.names:
            module._set_mapping(host.names)
        return module
