/* Branches that nothing predicts: binary searches, and a walk that each random number sends elsewhere. */
#include "yardstick.h"

enum { Size = 4096, Searches = 40000 };

static u32 sorted[Size];

u64 work(void)
{
    u64 state = 0x2545f4914f6cdd1dul, sum = 0;
    u32 value = 0;
    for (u64 i = 0; i < Size; i++)
        sorted[i] = value += 1 + (u32)(next(&state) & 0xffff);

    for (u64 i = 0; i < Searches; i++) {
        u32 wanted = (u32)(next(&state) % value);
        u64 low = 0, high = Size;
        while (low < high) {
            u64 middle = (low + high) / 2;
            __asm__ volatile("" : "+r"(middle)); /* a branch, not a conditional move */
            if (sorted[middle] < wanted) {
                low = middle + 1;
                sum += 3;
            } else {
                high = middle;
                sum ^= wanted;
            }
        }

        if (wanted & 1)
            sum = mix(sum, low);
        else if (wanted & 2)
            sum += low * 5;
        else if (wanted & 4)
            sum ^= low << 7;
        else
            sum -= low;
    }

    return sum;
}
