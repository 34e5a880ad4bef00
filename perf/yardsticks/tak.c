/* Recursion with three arguments and four calls (Takeuchi's function). */
#include "yardstick.h"

__attribute__((noinline)) static i64 tak(i64 x, i64 y, i64 z)
{
    return y < x ? tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)) : z;
}

u64 work(void)
{
    return mix((u64)tak(14, 9, 3), (u64)tak(12, 7, 2));
}
