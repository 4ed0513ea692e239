// What CuPy puts before the source of its own kernels, to be precompiled.
#pragma once

#include "cuda_on_host.h"

#include <cupy/complex.cuh>
#include <cupy/carray.cuh>
#include <cupy/atomics.cuh>
#include <cupy/math_constants.h>
