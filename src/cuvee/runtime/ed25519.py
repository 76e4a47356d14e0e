"""Checking Ed25519 signatures in plain Python, so that no release needs a library for it.

https://www.rfc-editor.org/rfc/rfc8032, section 5.1. Nothing here is secret, so no step needs to take constant
time. One check takes some milliseconds.
"""

from __future__ import annotations

from .hashing import algorithm

KEY, SIGNATURE = 32, 64
"""Bytes of a public key, and of a signature."""

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)

# A point is (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z: RFC 8032, section 5.1.4.
_Point = tuple[int, int, int, int]
_ZERO: _Point = (0, 1, 1, 0)
_BASE_X = 0x216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A
_BASE_Y = 4 * pow(5, -1, _P) % _P
_BASE: _Point = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether ``signature`` (64 bytes) is that of ``message`` by the key ``public`` (32 bytes)."""
    if len(public) != KEY or len(signature) != SIGNATURE:
        return False
    key = _decode(public)
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or scalar >= _ORDER:
        return False
    hashed = algorithm("sha512")(signature[:32] + public + message).digest()
    factor = int.from_bytes(hashed, "little") % _ORDER
    x, y, z, t = key
    found = _add(_multiply(scalar, _BASE), _multiply(factor, (-x % _P, y, z, -t % _P)))
    return _encode(found) == signature[:32]


def _add(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _multiply(factor: int, point: _Point) -> _Point:
    result = _ZERO
    while factor:
        if factor & 1:
            result = _add(result, point)
        point = _add(point, point)
        factor >>= 1
    return result


def _encode(point: _Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode(data: bytes) -> _Point | None:
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P
