// What the pretended driver and the compiled kernels tell each other.
#pragma once

#include <cstddef>

namespace cupy_on_cpu {

struct LaunchSize {
  unsigned int grid[3];
  unsigned int block[3];
  std::size_t shared_memory;
};

// What a compiled kernel exports, under its name with this prefix.
using Launcher = void (*)(void** arguments, const LaunchSize* size);
constexpr char launcher_prefix[] = "cupy_on_cpu_launch_";

}  // namespace cupy_on_cpu
