// A stand-in for NVIDIA's header of the same name: the half-precision number
// with the conversions (rounded once, to nearest, ties to even) that CuPy uses.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

struct __half_raw {
  unsigned short x;
};

namespace cupy_on_cpu {

// Every float and every half is a double exactly, so that one function does.
inline unsigned short half_bits(double value) {
  unsigned short sign = std::signbit(value) ? 0x8000 : 0;
  double magnitude = std::fabs(value);
  if (std::isnan(value)) return 0x7fff;  // the only NaN that CUDA makes
  if (magnitude >= 65520.0) return sign | 0x7c00;
  if (magnitude < 0x1p-14) {
    // Subnormal: a multiple of 2^-24. Rounding up to 1024 gives the bits of the
    // smallest normal number, as it should.
    return sign | static_cast<unsigned short>(std::nearbyint(magnitude * 0x1p24));
  }
  int exponent;
  double fraction = std::frexp(magnitude, &exponent);  // in [1/2, 1)
  int significand = static_cast<int>(std::nearbyint(fraction * 2048));
  // A significand rounded up to 2048 carries into the exponent.
  return sign |
         static_cast<unsigned short>(((exponent + 14) << 10) + significand - 1024);
}

inline float half_value(unsigned short bits) {
  int exponent = bits >> 10 & 0x1f;
  int fraction = bits & 0x3ff;
  float magnitude;
  if (exponent == 0x1f) {
    magnitude = fraction == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    magnitude = fraction * 0x1p-24f;
  } else {
    magnitude = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  }
  return std::copysign(magnitude, bits & 0x8000 ? -1.0f : 1.0f);
}

}  // namespace cupy_on_cpu

class half {
  unsigned short bits_;

 public:
  half() = default;
  half(const __half_raw& raw) : bits_(raw.x) {}
  template <typename Number,
            typename = std::enable_if_t<std::is_arithmetic_v<Number>>>
  half(Number value) : bits_(cupy_on_cpu::half_bits(static_cast<double>(value))) {}

  operator float() const { return cupy_on_cpu::half_value(bits_); }
  operator __half_raw() const { return {bits_}; }
};

using __half = half;

inline unsigned short __half_as_ushort(const half& value) {
  return static_cast<__half_raw>(value).x;
}
inline half __ushort_as_half(unsigned short bits) { return half(__half_raw{bits}); }
inline half __float2half_rn(float value) { return half(value); }
inline half __float2half(float value) { return half(value); }
inline half __double2half(double value) { return half(value); }
inline float __half2float(half value) { return static_cast<float>(value); }
