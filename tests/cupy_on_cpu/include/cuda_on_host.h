// The part of the CUDA language and of its built-in functions that the kernels
// of CuPy use, for an ordinary C++17 compiler on a CPU. Included before the
// source of every kernel.
#pragma once

#include <sys/mman.h>
#include <ucontext.h>

#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#include "launch.h"

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __noinline__
#define __align__(bytes) alignas(bytes)
// The blocks of a launch run one after another, so that one instance will do.
#define __shared__ static
// Makes CuPy's float16.cuh take the class `half` from our cuda_fp16.h, as it
// takes NVIDIA's under NVRTC: its own fallback rounds double to half twice.
#define __CUDACC_VER_MAJOR__ 13
#define __CUDACC_VER_MINOR__ 0

struct uint3 {
  unsigned int x, y, z;
};

struct dim3 {
  unsigned int x, y, z;
  dim3(unsigned int x = 1, unsigned int y = 1, unsigned int z = 1)
      : x(x), y(y), z(z) {}
};

static uint3 threadIdx, blockIdx;
static dim3 blockDim, gridDim;
constexpr int warpSize = 32;

// ---------------------------------------------------------------------------
// Running the threads of a block
// ---------------------------------------------------------------------------

namespace cupy_on_cpu {

static char* dynamic_shared_memory = nullptr;

enum class Waiting { for_nothing, for_warp, for_block, finished };

// A CUDA thread of a kernel whose threads wait for one another: a coroutine.
// (A system thread for each of up to 1024 threads was ten times slower.)
struct Thread {
  ucontext_t context;
  uint3 index;
  Waiting waiting;
  alignas(16) unsigned char exchanged[16];
};

constexpr unsigned max_threads = 1024;
constexpr std::size_t stack_size = 1 << 16;

static Thread* threads = nullptr;
static unsigned thread_count = 0;
static unsigned current_rank = 0;
static ucontext_t scheduler;
static void (*thread_body)(void*) = nullptr;
static void* thread_data = nullptr;

inline void thread_main() {
  thread_body(thread_data);
  threads[current_rank].waiting = Waiting::finished;
}

inline void wait(Waiting what) {
  if (threads == nullptr || thread_count == 0) return;
  Thread& thread = threads[current_rank];
  thread.waiting = what;
  swapcontext(&thread.context, &scheduler);
}

// Lets go on those of threads[first:last] that wait for `what`.
inline bool release(unsigned first, unsigned last, Waiting what) {
  bool any = false;
  for (unsigned rank = first; rank < last; ++rank) {
    if (threads[rank].waiting != what) continue;
    threads[rank].waiting = Waiting::for_nothing;
    any = true;
  }
  return any;
}

// Whether every thread of threads[first:last] that still runs waits for `what`.
inline bool all_wait(unsigned first, unsigned last, Waiting what) {
  for (unsigned rank = first; rank < last; ++rank) {
    Waiting waiting = threads[rank].waiting;
    if (waiting != what && waiting != Waiting::finished) return false;
  }
  return true;
}

inline bool release_those_that_may() {
  bool any = false;
  for (unsigned first = 0; first < thread_count; first += warpSize) {
    unsigned last = first + warpSize < thread_count ? first + warpSize : thread_count;
    if (all_wait(first, last, Waiting::for_warp)) {
      any |= release(first, last, Waiting::for_warp);
    }
  }
  if (any) return true;
  // A part of a warp may be synchronised by itself, with a mask: its other
  // threads are then behind it, waiting for the block.
  if (release(0, thread_count, Waiting::for_warp)) return true;
  return release(0, thread_count, Waiting::for_block);
}

inline void allocate_threads() {
  if (threads != nullptr) return;
  void* stacks = mmap(nullptr, max_threads * stack_size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stacks == MAP_FAILED) {
    std::fputs("cupy_on_cpu: no memory for the stacks of a block\n", stderr);
    std::abort();
  }
  threads = new Thread[max_threads];
  for (unsigned rank = 0; rank < max_threads; ++rank) {
    threads[rank].context.uc_stack.ss_sp =
        static_cast<char*>(stacks) + rank * stack_size;
  }
}

inline void run_block_of_waiting_threads(void (*body)(void*), void* data) {
  allocate_threads();
  thread_body = body;
  thread_data = data;
  thread_count = blockDim.x * blockDim.y * blockDim.z;
  for (unsigned rank = 0; rank < thread_count; ++rank) {
    Thread& thread = threads[rank];
    void* stack = thread.context.uc_stack.ss_sp;
    getcontext(&thread.context);
    thread.context.uc_stack.ss_sp = stack;
    thread.context.uc_stack.ss_size = stack_size;
    thread.context.uc_link = &scheduler;
    makecontext(&thread.context, thread_main, 0);
    thread.index = {rank % blockDim.x, rank / blockDim.x % blockDim.y,
                    rank / blockDim.x / blockDim.y};
    thread.waiting = Waiting::for_nothing;
  }
  do {
    for (unsigned rank = 0; rank < thread_count; ++rank) {
      if (threads[rank].waiting != Waiting::for_nothing) continue;
      current_rank = rank;
      threadIdx = threads[rank].index;
      swapcontext(&scheduler, &threads[rank].context);
    }
  } while (release_those_that_may());
  thread_count = 0;
}

inline void run_block_of_independent_threads(void (*body)(void*), void* data) {
  for (unsigned z = 0; z < blockDim.z; ++z)
    for (unsigned y = 0; y < blockDim.y; ++y)
      for (unsigned x = 0; x < blockDim.x; ++x) {
        threadIdx = {x, y, z};
        body(data);
      }
}

enum class Threads {
  // The kernel has one loop with the stride of the grid: one thread does it all.
  one,
  independent,
  waiting_for_one_another,
};

template <typename... Parameters, std::size_t... index>
void call(void (*kernel)(Parameters...), void** arguments,
          std::index_sequence<index...>) {
  kernel(*static_cast<std::decay_t<Parameters>*>(arguments[index])...);
}

template <Threads kind, typename... Parameters>
void launch(void (*kernel)(Parameters...), void** arguments,
            const LaunchSize* size) {
  struct Call {
    void (*kernel)(Parameters...);
    void** arguments;
  } data{kernel, arguments};
  auto body = [](void* pointer) {
    Call* call_ = static_cast<Call*>(pointer);
    call(call_->kernel, call_->arguments, std::index_sequence_for<Parameters...>());
  };
  if constexpr (kind == Threads::one) {
    gridDim = blockDim = dim3(1, 1, 1);
    blockIdx = threadIdx = {0, 0, 0};
    body(&data);
    return;
  }
  gridDim = dim3(size->grid[0], size->grid[1], size->grid[2]);
  blockDim = dim3(size->block[0], size->block[1], size->block[2]);
  dynamic_shared_memory = static_cast<char*>(std::malloc(size->shared_memory + 1));
  for (unsigned z = 0; z < gridDim.z; ++z)
    for (unsigned y = 0; y < gridDim.y; ++y)
      for (unsigned x = 0; x < gridDim.x; ++x) {
        blockIdx = {x, y, z};
        if constexpr (kind == Threads::independent) {
          run_block_of_independent_threads(body, &data);
        } else {
          run_block_of_waiting_threads(body, &data);
        }
      }
  std::free(dynamic_shared_memory);
}

// Gives each thread of a warp the value that the lane `source` of it holds.
template <typename T>
T exchange(T value, unsigned source) {
  static_assert(sizeof(T) <= sizeof(Thread::exchanged), "value too large");
  unsigned first = current_rank / warpSize * warpSize;
  std::memcpy(threads[current_rank].exchanged, &value, sizeof(T));
  wait(Waiting::for_warp);
  if (first + source < thread_count) {
    std::memcpy(&value, threads[first + source].exchanged, sizeof(T));
  }
  wait(Waiting::for_warp);
  return value;
}

}  // namespace cupy_on_cpu

inline void __syncthreads() {
  cupy_on_cpu::wait(cupy_on_cpu::Waiting::for_block);
}
inline void __syncwarp(unsigned = 0xffffffffu) {
  cupy_on_cpu::wait(cupy_on_cpu::Waiting::for_warp);
}
inline void __threadfence() {}
inline void __threadfence_block() {}

template <typename T>
T __shfl_sync(unsigned, T value, int source, int width = warpSize) {
  int lane = cupy_on_cpu::current_rank % warpSize;
  return cupy_on_cpu::exchange(value, lane / width * width + source % width);
}
template <typename T>
T __shfl_xor_sync(unsigned, T value, int mask, int width = warpSize) {
  int lane = cupy_on_cpu::current_rank % warpSize;
  int source = lane ^ mask;
  return cupy_on_cpu::exchange(value, source / width > lane / width ? lane : source);
}
template <typename T>
T __shfl_up_sync(unsigned, T value, unsigned delta, int width = warpSize) {
  int lane = cupy_on_cpu::current_rank % warpSize;
  int source = lane - static_cast<int>(delta);
  return cupy_on_cpu::exchange(value, source < lane / width * width ? lane : source);
}
template <typename T>
T __shfl_down_sync(unsigned, T value, unsigned delta, int width = warpSize) {
  int lane = cupy_on_cpu::current_rank % warpSize;
  int source = lane + static_cast<int>(delta);
  return cupy_on_cpu::exchange(value,
                               source / width != lane / width ? lane : source);
}
inline unsigned __ballot_sync(unsigned, int predicate) {
  unsigned votes = 0;
  for (int lane = 0; lane < warpSize; ++lane) {
    unsigned rank = cupy_on_cpu::current_rank / warpSize * warpSize + lane;
    int vote = cupy_on_cpu::exchange(predicate, lane);
    if (rank < cupy_on_cpu::thread_count && vote) votes |= 1u << lane;
  }
  return votes;
}
inline int __any_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate) != 0;
}
inline int __all_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, !predicate) == 0;
}

// ---------------------------------------------------------------------------
// Atomic functions: no two threads ever run at the same time here
// ---------------------------------------------------------------------------

#define CUPY_ON_CPU_ATOMIC(name, expression)      \
  template <typename T, typename = std::enable_if_t<std::is_arithmetic_v<T>>> \
  T name(T* address, std::common_type_t<T> value) { \
    T old = *address;                             \
    *address = (expression);                      \
    return old;                                   \
  }
CUPY_ON_CPU_ATOMIC(atomicAdd, old + value)
CUPY_ON_CPU_ATOMIC(atomicSub, old - value)
CUPY_ON_CPU_ATOMIC(atomicExch, value)
CUPY_ON_CPU_ATOMIC(atomicMin, value < old ? value : old)
CUPY_ON_CPU_ATOMIC(atomicMax, value > old ? value : old)
CUPY_ON_CPU_ATOMIC(atomicAnd, old & value)
CUPY_ON_CPU_ATOMIC(atomicOr, old | value)
CUPY_ON_CPU_ATOMIC(atomicXor, old ^ value)
#undef CUPY_ON_CPU_ATOMIC

template <typename T>
T atomicCAS(T* address, std::common_type_t<T> compare, std::common_type_t<T> value) {
  T old = *address;
  if (old == compare) *address = value;
  return old;
}

// ---------------------------------------------------------------------------
// Mathematical functions that CUDA has in the global namespace
// ---------------------------------------------------------------------------

using std::abs;
using std::acos;
using std::acosh;
using std::asin;
using std::asinh;
using std::atan;
using std::atan2;
using std::atanh;
using std::cbrt;
using std::ceil;
using std::copysign;
using std::cos;
using std::cosh;
using std::erf;
using std::erfc;
using std::exp;
using std::exp2;
using std::expm1;
using std::fabs;
using std::floor;
using std::fma;
using std::fmax;
using std::fmin;
using std::fmod;
using std::frexp;
using std::hypot;
using std::ilogb;
using std::isfinite;
using std::isinf;
using std::isnan;
using std::ldexp;
using std::lgamma;
using std::log;
using std::log10;
using std::log1p;
using std::log2;
using std::logb;
using std::lrint;
using std::modf;
using std::nearbyint;
using std::nextafter;
using std::pow;
using std::remainder;
using std::rint;
using std::round;
using std::signbit;
using std::sin;
using std::sinh;
using std::sqrt;
using std::tan;
using std::tanh;
using std::tgamma;
using std::trunc;

// Unlike std::min and std::max, those of CUDA mix types, and ignore a NaN.
template <typename A, typename B,
          typename = std::enable_if_t<std::is_arithmetic_v<A> && std::is_arithmetic_v<B>>>
inline std::common_type_t<A, B> min(A a, B b) {
  using C = std::common_type_t<A, B>;
  if constexpr (std::is_floating_point_v<C>) return std::fmin(C(a), C(b));
  return C(a) < C(b) ? C(a) : C(b);
}
template <typename A, typename B,
          typename = std::enable_if_t<std::is_arithmetic_v<A> && std::is_arithmetic_v<B>>>
inline std::common_type_t<A, B> max(A a, B b) {
  using C = std::common_type_t<A, B>;
  if constexpr (std::is_floating_point_v<C>) return std::fmax(C(a), C(b));
  return C(a) > C(b) ? C(a) : C(b);
}

inline double rsqrt(double x) { return 1 / std::sqrt(x); }
inline float rsqrt(float x) { return 1 / std::sqrt(x); }
inline float rsqrtf(float x) { return rsqrt(x); }

inline int __popc(unsigned int x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(x); }
inline int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }

template <typename T>
inline T __ldg(const T* address) {
  return *address;
}

namespace cupy_on_cpu {
template <typename To, typename From>
inline To same_bits(From value) {
  static_assert(sizeof(To) == sizeof(From), "sizes differ");
  To result;
  std::memcpy(&result, &value, sizeof(To));
  return result;
}
}  // namespace cupy_on_cpu

inline int __float_as_int(float x) { return cupy_on_cpu::same_bits<int>(x); }
inline float __int_as_float(int x) { return cupy_on_cpu::same_bits<float>(x); }
inline unsigned int __float_as_uint(float x) {
  return cupy_on_cpu::same_bits<unsigned int>(x);
}
inline float __uint_as_float(unsigned int x) {
  return cupy_on_cpu::same_bits<float>(x);
}
inline long long __double_as_longlong(double x) {
  return cupy_on_cpu::same_bits<long long>(x);
}
inline double __longlong_as_double(long long x) {
  return cupy_on_cpu::same_bits<double>(x);
}
