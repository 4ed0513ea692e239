// A stand-in for NVIDIA's header of the same name, as far as CuPy uses it.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

class __nv_bfloat16 {
  unsigned short bits_;

 public:
  __nv_bfloat16() = default;
  __nv_bfloat16(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    // To nearest, ties to even; 0x7fff is the only NaN that CUDA makes.
    bits_ = std::isnan(value) ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  }

  operator float() const {
    std::uint32_t bits = static_cast<std::uint32_t>(bits_) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

  static __nv_bfloat16 from_bits(unsigned short bits) {
    __nv_bfloat16 result;
    result.bits_ = bits;
    return result;
  }
  unsigned short to_bits() const { return bits_; }
};

inline bool __hisnan(__nv_bfloat16 value) {
  return std::isnan(static_cast<float>(value));
}
inline int __hisinf(__nv_bfloat16 value) {
  float number = static_cast<float>(value);
  return std::isinf(number) ? (number > 0 ? 1 : -1) : 0;
}
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 value) {
  return value.to_bits();
}
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) {
  return __nv_bfloat16::from_bits(bits);
}
