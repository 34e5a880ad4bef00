/* Byte stores with a stride: primes below a million. */
#include "yardstick.h"

enum { Size = 1000000 };

static u8 composite[Size];

u64 work(void)
{
    for (u64 i = 0; i < Size; i++)
        composite[i] = 0;
    for (u64 i = 2; i * i < Size; i++) {
        if (composite[i])
            continue;
        for (u64 j = i * i; j < Size; j += i)
            composite[j] = 1;
    }

    u64 primes = 0, sum = 0;
    for (u64 i = 2; i < Size; i++) {
        if (!composite[i]) {
            primes++;
            sum = mix(sum, i);
        }
    }

    return mix(sum, primes);
}
