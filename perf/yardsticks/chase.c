/* Loads that wait for each other: one walk through all of 4 MiB in a random order. */
#include "yardstick.h"

enum { Nodes = 65536, Steps = 4 * Nodes };

static struct node {
    struct node *next;
    u64 value;
    u64 unused[6];
} nodes[Nodes];

u64 work(void)
{
    if (!nodes[0].next) {
        /* Sattolo's shuffle makes one cycle of all. */
        static u32 order[Nodes];
        u64 state = 0x123456789abcdeful;
        for (u32 i = 0; i < Nodes; i++)
            order[i] = i;
        for (u32 i = Nodes - 1; i > 0; i--) {
            u32 j = (u32)(next(&state) % i), held = order[i];
            order[i] = order[j];
            order[j] = held;
        }

        for (u32 i = 0; i < Nodes; i++) {
            nodes[i].next = &nodes[order[i]];
            nodes[i].value = next(&state);
        }
    }

    u64 sum = 0;
    struct node *node = nodes;
    for (u64 i = 0; i < Steps; i++) {
        sum = sum * 3 + node->value;
        node = node->next;
    }

    return sum;
}
