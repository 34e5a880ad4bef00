/* What programs do with a C library: numbers to text and back, sorting by a function, memory from the heap. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "yardstick.h"

enum { Count = 2000 };

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

u64 work(void)
{
    static char *texts[Count];
    u64 state = 0xfeedfacefeedfacul, sum = 0;
    for (int i = 0; i < Count; i++) {
        char text[64];
        u64 random = next(&state);
        int length = snprintf(text, sizeof text, "%x-%d-%.3f", (u32)random, (int)(random >> 40) - 8000000, (double)(random >> 20) / 4096);
        texts[i] = malloc((u64)length + 1);
        memcpy(texts[i], text, (u64)length + 1);
    }

    qsort(texts, Count, sizeof texts[0], by_text);
    for (int i = 0; i < Count; i++) {
        char *end;
        sum = mix(sum, strtoul(texts[i], &end, 16));
        sum = mix(sum, (u64)strtol(end + 1, &end, 10));
        sum += (u64)(strtod(end + 1, NULL) * 8);
        free(texts[i]);
    }

    return sum;
}
