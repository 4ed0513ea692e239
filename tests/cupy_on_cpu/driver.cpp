// A pretended CUDA driver with two devices, whose memory is ordinary memory and
// whose kernels are functions of shared libraries.
//
// CuPy calls these functions through tables of function pointers that its
// Cython modules share; _tables.py puts them there. All are called with the GIL
// held, report an error as a Python exception, and end in the parameter
// `skip_dispatch` that Cython adds. They are native, and not Python callbacks,
// because CuPy goes on calling some of them while the interpreter shuts down.
//
// The few functions of Python's C interface are declared here, so that no Python
// headers need to be installed.

#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "launch.h"

extern "C" {
struct PyObject;
extern PyObject* PyExc_RuntimeError;
char* PyBytes_AsString(PyObject*);
PyObject* Py_BuildValue(const char* format, ...);
void Py_DecRef(PyObject*);
void PyErr_SetObject(PyObject* type, PyObject* value);
PyObject* PyErr_Format(PyObject* type, const char* format, ...);
PyObject* PyImport_ImportModule(const char* name);
PyObject* PyList_New(std::intptr_t size);
int PyList_Append(PyObject* list, PyObject* item);
PyObject* PyObject_CallMethod(PyObject*, const char* name, const char* format, ...);
PyObject* PyObject_GetAttrString(PyObject*, const char* name);
const char* PyUnicode_AsUTF8(PyObject*);
}

namespace {

using std::intptr_t;
using std::size_t;
using cupy_on_cpu::Launcher;
using cupy_on_cpu::LaunchSize;

constexpr int device_count = 2;
constexpr size_t device_memory = size_t{4} << 30;
constexpr int compute_capability = 8;
constexpr int warp_size = 32;
constexpr int max_threads_per_block = 1024;
constexpr int shared_memory_per_block = 48 << 10;

// Numbers of the CUDA interface.
enum Error { invalid_value = 1, out_of_memory = 2, invalid_device = 101 };
enum MemoryType { unregistered = 0, host_memory = 1, device_memory_type = 2 };
enum Attribute {
  max_threads_per_block_attribute = 1,
  warp_size_attribute = 10,
  multi_processor_count_attribute = 16,
  compute_capability_major_attribute = 75,
};

struct Allocation {
  size_t size;
  MemoryType type;
  int device;
};

struct Kernel {
  std::string name;
  Launcher launcher;
};

struct Counters {
  size_t synchronisations = 0;
  size_t host_to_device = 0;
  size_t device_to_host = 0;
  size_t device_to_device = 0;
  size_t fills = 0;
  std::vector<const Kernel*> launches;
};

struct State {
  std::map<intptr_t, Allocation> allocations;
  std::map<intptr_t, Kernel> kernels;
  size_t used[device_count] = {};
  intptr_t last_handle = 0;
  Counters counters;
};

// Never destroyed: CuPy may free memory after the destructors of statics ran.
State& state() {
  static State* const instance = new State;
  return *instance;
}

// As in CUDA, every thread has a current device of its own.
thread_local int current_device = 0;

PyObject* none() { return Py_BuildValue(""); }

// ---------------------------------------------------------------------------
// Errors
// ---------------------------------------------------------------------------

PyObject* runtime_module() {
  return PyImport_ImportModule("cupy_backends.cuda.api.runtime");
}

void raise_cuda_error(Error status) {
  PyObject* module = runtime_module();
  if (module == nullptr) return;
  PyObject* type = PyObject_GetAttrString(module, "CUDARuntimeError");
  PyObject* error = PyObject_CallMethod(module, "CUDARuntimeError", "i", int{status});
  if (type != nullptr && error != nullptr) PyErr_SetObject(type, error);
  if (type != nullptr) Py_DecRef(type);
  if (error != nullptr) Py_DecRef(error);
  Py_DecRef(module);
}

bool is_device(int device) {
  if (device >= 0 && device < device_count) return true;
  raise_cuda_error(invalid_device);
  return false;
}

// What stands for the functions that are not emulated, by what Cython takes for
// the sign of an exception: a null pointer (or no sign at all), or -1.
constexpr char not_emulated_message[] =
    "CuPy called a CUDA function that cupy_on_cpu does not emulate "
    "(the traceback tells from where)";

intptr_t not_emulated_null() {
  PyErr_Format(PyExc_RuntimeError, not_emulated_message);
  return 0;
}

intptr_t not_emulated_minus_one() {
  PyErr_Format(PyExc_RuntimeError, not_emulated_message);
  return -1;
}

// ---------------------------------------------------------------------------
// Devices and contexts
// ---------------------------------------------------------------------------

int get_device_count(int) { return device_count; }
int get_device(int) { return current_device; }
int driver_get_version(int) { return 13020; }
PyObject* ensure_context() { return none(); }

PyObject* set_device(int device, int) {
  if (!is_device(device)) return nullptr;
  current_device = device;
  return none();
}

int device_get_attribute(int attribute, int device, int) {
  if (!is_device(device)) return -1;
  switch (attribute) {
    case max_threads_per_block_attribute:
      return max_threads_per_block;
    case warp_size_attribute:
      return warp_size;
    case multi_processor_count_attribute:
      return 1;
    case compute_capability_major_attribute:
      return compute_capability;
    default:
      return 0;
  }
}

PyObject* get_device_properties(int device, int) {
  if (!is_device(device)) return nullptr;
  return Py_BuildValue(
      "{s:y,s:n,s:i,s:i,s:i,s:(iii),s:(iii),s:i,s:i,s:i}",      //
      "name", "pretended device (cupy_on_cpu)",                 //
      "totalGlobalMem", static_cast<intptr_t>(device_memory),   //
      "sharedMemPerBlock", shared_memory_per_block,             //
      "warpSize", warp_size,                                    //
      "maxThreadsPerBlock", max_threads_per_block,              //
      "maxThreadsDim", max_threads_per_block, max_threads_per_block, 64,
      "maxGridSize", 0x7fffffff, 0xffff, 0xffff,                //
      "multiProcessorCount", 1,                                 //
      "major", compute_capability,                              //
      "minor", 0);
}

int device_can_access_peer(int device, int peer, int) {
  if (!is_device(device) || !is_device(peer)) return -1;
  return device != peer;
}

PyObject* device_enable_peer_access(int peer, int) {
  return is_device(peer) ? none() : nullptr;
}

PyObject* device_synchronize(int) {
  ++state().counters.synchronisations;
  return none();
}

intptr_t context_get_current(int) { return current_device + 1; }
PyObject* context_set_current(intptr_t, int) { return none(); }
int context_get_device(int) { return current_device; }

// ---------------------------------------------------------------------------
// Memory
// ---------------------------------------------------------------------------

// Returns the allocation that the address lies in, and null for other memory.
const Allocation* find_allocation(intptr_t address) {
  auto& allocations = state().allocations;
  auto next = allocations.upper_bound(address);
  if (next == allocations.begin()) return nullptr;
  auto& [start, allocation] = *--next;
  return address < start + static_cast<intptr_t>(allocation.size) ? &allocation
                                                                  : nullptr;
}

bool is_on_device(intptr_t address) {
  const Allocation* allocation = find_allocation(address);
  return allocation != nullptr && allocation->type == device_memory_type;
}

// As CUDA's, aligned to 256 bytes. What it holds is no zeros, which would hide
// the use of memory that nobody wrote to, but NaNs and minus ones. It is no longer
// than what was asked for, so that tools see an access beyond it.
intptr_t allocate(size_t size, MemoryType type) {
  constexpr size_t alignment = 256;
  size_t rounded = (size + alignment - 1) / alignment * alignment;
  if (rounded < size) rounded = 0;
  if (size == 0) rounded = size = alignment;
  size_t& used = state().used[current_device];
  bool fits = rounded != 0 && rounded <= device_memory - used;
  void* memory = nullptr;
  if (!fits || posix_memalign(&memory, alignment, size) != 0) {
    raise_cuda_error(out_of_memory);
    return 0;
  }
  std::memset(memory, 0xff, size);
  if (type == device_memory_type) used += rounded;
  intptr_t address = reinterpret_cast<intptr_t>(memory);
  state().allocations[address] = {rounded, type, current_device};
  return address;
}

PyObject* release(intptr_t address) {
  auto& allocations = state().allocations;
  auto found = allocations.find(address);
  if (found == allocations.end()) {
    if (address == 0) return none();
    raise_cuda_error(invalid_value);
    return nullptr;
  }
  const Allocation& allocation = found->second;
  if (allocation.type == device_memory_type) {
    state().used[allocation.device] -= allocation.size;
  }
  allocations.erase(found);
  std::free(reinterpret_cast<void*>(address));
  return none();
}

intptr_t device_malloc(size_t size, int) { return allocate(size, device_memory_type); }
intptr_t device_malloc_async(size_t size, intptr_t, int) {
  return allocate(size, device_memory_type);
}
intptr_t malloc_managed(size_t size, int, void*) {
  return allocate(size, device_memory_type);
}
intptr_t host_alloc(size_t size, unsigned int, int) {
  return allocate(size, host_memory);
}
PyObject* device_free(intptr_t address, int) { return release(address); }
PyObject* device_free_async(intptr_t address, intptr_t, int) {
  return release(address);
}
PyObject* free_host(intptr_t address, int) { return release(address); }

PyObject* mem_get_info(int) {
  size_t free = device_memory - state().used[current_device];
  return Py_BuildValue("(nn)", static_cast<intptr_t>(free),
                       static_cast<intptr_t>(device_memory));
}

int pointer_get_memory_type(intptr_t address, int) {
  const Allocation* allocation = find_allocation(address);
  return allocation == nullptr ? unregistered : allocation->type;
}

PyObject* pointer_get_attributes(intptr_t address, int) {
  constexpr int cpu_device = -1, invalid_device_id = -2;
  const Allocation* allocation = find_allocation(address);
  int type = allocation == nullptr ? unregistered : allocation->type;
  int device = type == device_memory_type ? allocation->device
               : type == host_memory      ? cpu_device
                                          : invalid_device_id;
  PyObject* module = runtime_module();
  if (module == nullptr) return nullptr;
  PyObject* attributes = PyObject_CallMethod(
      module, "PointerAttributes", "inni", device,
      type == device_memory_type ? address : 0,
      type == device_memory_type ? 0 : address, type);
  Py_DecRef(module);
  return attributes;
}

// ---------------------------------------------------------------------------
// Copies
// ---------------------------------------------------------------------------

// Counts by where the memory lies: the kind that CuPy gives may be "default".
PyObject* copy(intptr_t to, intptr_t from, size_t size, bool host_waits) {
  Counters& counters = state().counters;
  bool to_device = is_on_device(to), from_device = is_on_device(from);
  if (to_device && from_device) {
    ++counters.device_to_device;
  } else if (to_device) {
    ++counters.host_to_device;
  } else if (from_device) {
    ++counters.device_to_host;
  }
  if (host_waits && to_device != from_device) ++counters.synchronisations;
  std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), size);
  return none();
}

PyObject* memcpy(intptr_t to, intptr_t from, size_t size, int, int) {
  return copy(to, from, size, true);
}
PyObject* memcpy_async(intptr_t to, intptr_t from, size_t size, int, intptr_t, int) {
  return copy(to, from, size, false);
}
PyObject* memcpy_peer(intptr_t to, int, intptr_t from, int, size_t size, int) {
  return copy(to, from, size, true);
}
PyObject* memcpy_peer_async(intptr_t to, int, intptr_t from, int, size_t size,
                            intptr_t, int) {
  return copy(to, from, size, false);
}

PyObject* fill(intptr_t address, int value, size_t size) {
  ++state().counters.fills;
  std::memset(reinterpret_cast<void*>(address), value, size);
  return none();
}

PyObject* memset(intptr_t address, int value, size_t size, int) {
  return fill(address, value, size);
}
PyObject* memset_async(intptr_t address, int value, size_t size, intptr_t, int) {
  return fill(address, value, size);
}

// ---------------------------------------------------------------------------
// Streams and events: everything is done at once, in the order of the calls
// ---------------------------------------------------------------------------

constexpr int finished = 0;

intptr_t new_handle() { return ++state().last_handle; }
PyObject* synchronize() {
  ++state().counters.synchronisations;
  return none();
}

// The handles 1 and 2 are special streams of CUDA (legacy, per thread).
intptr_t new_stream() { return new_handle() + 2; }
intptr_t stream_create(int) { return new_stream(); }
intptr_t stream_create_with_flags(unsigned int, int) { return new_stream(); }
intptr_t stream_create_with_priority(unsigned int, int, int) { return new_stream(); }
PyObject* stream_destroy(intptr_t, int) { return none(); }
PyObject* stream_query(intptr_t, int) { return Py_BuildValue("i", finished); }
PyObject* stream_synchronize(intptr_t, int) { return synchronize(); }
PyObject* stream_wait_event(intptr_t, intptr_t, int, void*) { return none(); }
int stream_is_capturing(intptr_t, int) { return 0; }
int stream_get_priority(intptr_t, int) { return 0; }
intptr_t stream_get_context(intptr_t, int) { return current_device + 1; }

intptr_t event_create(int) { return new_handle(); }
intptr_t event_create_with_flags(unsigned int, int) { return new_handle(); }
PyObject* event_destroy(intptr_t, int) { return none(); }
PyObject* event_record(intptr_t, intptr_t, int) { return none(); }
PyObject* event_query(intptr_t, int) { return Py_BuildValue("i", finished); }
PyObject* event_synchronize(intptr_t, int) { return synchronize(); }
// Not 0, which Cython would take for a possible exception.
float event_elapsed_time(intptr_t, intptr_t, int) { return 1e-3f; }

// ---------------------------------------------------------------------------
// Kernels
// ---------------------------------------------------------------------------

// The "image" of a module is the path of a shared library.
intptr_t module_load_data(PyObject* image, int) {
  const char* path = PyBytes_AsString(image);
  if (path == nullptr) return 0;
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    PyErr_Format(PyExc_RuntimeError, "a compiled kernel does not load: %s", dlerror());
  }
  return reinterpret_cast<intptr_t>(library);
}

// Kernels stay loaded: this is called as late as at the end of the process.
PyObject* module_unload(intptr_t, int) { return none(); }

intptr_t module_get_function(intptr_t library, PyObject* name_object, int) {
  const char* name = PyUnicode_AsUTF8(name_object);
  if (name == nullptr) return 0;
  std::string symbol = std::string(cupy_on_cpu::launcher_prefix) + name;
  void* address = dlsym(reinterpret_cast<void*>(library), symbol.c_str());
  if (address == nullptr) {
    PyErr_Format(PyExc_RuntimeError, "the compiled module has no kernel named %s", name);
    return 0;
  }
  Kernel& kernel = state().kernels[reinterpret_cast<intptr_t>(address)];
  kernel = {name, reinterpret_cast<Launcher>(address)};
  return reinterpret_cast<intptr_t>(&kernel);
}

PyObject* launch_kernel(intptr_t function, unsigned int grid_x, unsigned int grid_y,
                        unsigned int grid_z, unsigned int block_x,
                        unsigned int block_y, unsigned int block_z,
                        unsigned int shared_memory, intptr_t, intptr_t arguments,
                        intptr_t, int) {
  size_t threads = size_t{block_x} * block_y * block_z;
  if (threads == 0 || threads > max_threads_per_block) {
    raise_cuda_error(invalid_value);
    return nullptr;
  }
  const Kernel* kernel = reinterpret_cast<const Kernel*>(function);
  LaunchSize size = {
      {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_memory};
  state().counters.launches.push_back(kernel);
  kernel->launcher(reinterpret_cast<void**>(arguments), &size);
  return none();
}

int function_get_attribute(int, intptr_t, int) { return 0; }
PyObject* function_set_attribute(intptr_t, int, int, int) { return none(); }

// ---------------------------------------------------------------------------
// The list of the functions, with their types as _tables.py checks them
// ---------------------------------------------------------------------------

template <typename T>
constexpr const char* name_of = nullptr;
template <>
constexpr const char* name_of<int> = "int";
template <>
constexpr const char* name_of<unsigned int> = "unsigned int";
template <>
constexpr const char* name_of<float> = "float";
template <>
constexpr const char* name_of<size_t> = "size_t";
template <>
constexpr const char* name_of<intptr_t> = "intptr_t";
template <>
constexpr const char* name_of<PyObject*> = "PyObject *";
template <>
constexpr const char* name_of<void*> = "struct *";

struct Entry {
  std::string module, name, signature;
  void* address;

  template <typename Result, typename... Parameters>
  Entry(const char* module, const char* name, Result (*function)(Parameters...))
      : module(module),
        name(name),
        signature(std::string(name_of<Result>) + " ("),
        address(reinterpret_cast<void*>(function)) {
    ((signature += std::string(name_of<Parameters>) + ", "), ...);
    if (sizeof...(Parameters) > 0) signature.resize(signature.size() - 2);
    signature += ")";
  }
};

const std::vector<Entry>& entries() {
  static const auto* const list = new std::vector<Entry>{
      {"runtime", "_deviceEnsurePeerAccess", device_enable_peer_access},
      {"runtime", "_ensure_context", ensure_context},
      {"runtime", "deviceCanAccessPeer", device_can_access_peer},
      {"runtime", "deviceEnablePeerAccess", device_enable_peer_access},
      {"runtime", "deviceGetAttribute", device_get_attribute},
      {"runtime", "deviceSynchronize", device_synchronize},
      {"runtime", "driverGetVersion", driver_get_version},
      {"runtime", "eventCreate", event_create},
      {"runtime", "eventCreateWithFlags", event_create_with_flags},
      {"runtime", "eventDestroy", event_destroy},
      {"runtime", "eventElapsedTime", event_elapsed_time},
      {"runtime", "eventQuery", event_query},
      {"runtime", "eventRecord", event_record},
      {"runtime", "eventSynchronize", event_synchronize},
      {"runtime", "free", device_free},
      {"runtime", "freeAsync", device_free_async},
      {"runtime", "freeHost", free_host},
      {"runtime", "getDevice", get_device},
      {"runtime", "getDeviceCount", get_device_count},
      {"runtime", "getDeviceProperties", get_device_properties},
      {"runtime", "hostAlloc", host_alloc},
      {"runtime", "malloc", device_malloc},
      {"runtime", "mallocAsync", device_malloc_async},
      {"runtime", "mallocManaged", malloc_managed},
      {"runtime", "memGetInfo", mem_get_info},
      {"runtime", "memcpy", memcpy},
      {"runtime", "memcpyAsync", memcpy_async},
      {"runtime", "memcpyPeer", memcpy_peer},
      {"runtime", "memcpyPeerAsync", memcpy_peer_async},
      {"runtime", "memset", memset},
      {"runtime", "memsetAsync", memset_async},
      {"runtime", "pointerGetAttributes", pointer_get_attributes},
      {"runtime", "pointerGetMemoryType", pointer_get_memory_type},
      {"runtime", "setDevice", set_device},
      {"runtime", "streamCreate", stream_create},
      {"runtime", "streamCreateWithFlags", stream_create_with_flags},
      {"runtime", "streamCreateWithPriority", stream_create_with_priority},
      {"runtime", "streamDestroy", stream_destroy},
      {"runtime", "streamGetPriority", stream_get_priority},
      {"runtime", "streamIsCapturing", stream_is_capturing},
      {"runtime", "streamQuery", stream_query},
      {"runtime", "streamSynchronize", stream_synchronize},
      {"runtime", "streamWaitEvent", stream_wait_event},
      {"driver", "ctxGetCurrent", context_get_current},
      {"driver", "ctxGetDevice", context_get_device},
      {"driver", "ctxSetCurrent", context_set_current},
      {"driver", "funcGetAttribute", function_get_attribute},
      {"driver", "funcSetAttribute", function_set_attribute},
      {"driver", "launchKernel", launch_kernel},
      {"driver", "moduleGetFunction", module_get_function},
      {"driver", "moduleLoadData", module_load_data},
      {"driver", "moduleUnload", module_unload},
      {"driver", "streamGetCtx", stream_get_context},
      {"", "not_emulated_null", not_emulated_null},
      {"", "not_emulated_minus_one", not_emulated_minus_one},
  };
  return *list;
}

}  // namespace

// ---------------------------------------------------------------------------
// What Python calls, through ctypes.PyDLL
// ---------------------------------------------------------------------------

extern "C" {

// A list of (module, name, signature, address).
PyObject* list_entries() {
  PyObject* list = PyList_New(0);
  for (const Entry& entry : entries()) {
    PyObject* row =
        Py_BuildValue("(sssn)", entry.module.c_str(), entry.name.c_str(),
                      entry.signature.c_str(), reinterpret_cast<intptr_t>(entry.address));
    PyList_Append(list, row);
    Py_DecRef(row);
  }
  return list;
}

// All counts since the start of the process.
PyObject* read_counters() {
  const Counters& counters = state().counters;
  return Py_BuildValue("{s:n,s:n,s:n,s:n,s:n,s:n}",                //
                       "launches", counters.launches.size(),       //
                       "synchronisations", counters.synchronisations,
                       "host_to_device", counters.host_to_device,  //
                       "device_to_host", counters.device_to_host,  //
                       "device_to_device", counters.device_to_device,
                       "fills", counters.fills);
}

// The names of the kernels number `first` to `last` that were launched.
PyObject* read_launches(size_t first, size_t last) {
  const auto& launches = state().counters.launches;
  PyObject* list = PyList_New(0);
  for (size_t i = first; i < last && i < launches.size(); ++i) {
    PyObject* name = Py_BuildValue("s", launches[i]->name.c_str());
    PyList_Append(list, name);
    Py_DecRef(name);
  }
  return list;
}

}  // extern "C"
