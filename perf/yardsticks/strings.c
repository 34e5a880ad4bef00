/* A C library's memcpy, memmove, strlen, strcmp, memchr and strchr, which it chooses by CPUID, with many lengths. */
#include <string.h>
#include "yardstick.h"

enum { Room = 1 << 16, Rounds = 3000 };

static char texts[Room], copies[Room + 64];

u64 work(void)
{
    u64 state = 0x5eed5eed5eed5eedul, sum = 0;
    for (u64 i = 0; i < Room; i += 8) {
        u64 random = next(&state) & 0x1f1f1f1f1f1f1f1ful;
        random |= 0x4040404040404040ul;
        memcpy(texts + i, &random, 8);
    }

    for (u64 i = 0; i < Rounds; i++) {
        u64 random = next(&state);
        u64 length = 1 + (random & (random & 0x800000 ? 0xfff : 0x3f)), at = random >> 32 & 0x7fff;
        char *text = texts + at, *copy = copies + (random >> 48 & 0x7fff);
        char held = text[length];
        text[length] = 0;
        memcpy(copy, text, length + 1);
        sum = mix(sum, strlen(copy));
        sum += (u64)(strcmp(copy, text) == 0);
        copy[length - 1] ^= 1;
        sum += (u64)(strcmp(copy, text) > 0) + (u64)(memcmp(copy, text, length) > 0);
        memmove(copy + 3, copy, length);
        char *found = memchr(copy, 0x55, length);
        sum += found ? (u64)(found - copy) : 7;
        found = strchr(text, 0x4a);
        sum = mix(sum, found ? (u64)(found - text) : 9);
        memset(copy, (int)(random & 0x7f) | 0x40, length / 2);
        text[length] = held;
    }

    return sum;
}
