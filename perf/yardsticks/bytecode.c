/* An interpreter of a small stack machine: an indirect jump each step. The program in it counts Collatz steps. */
#include "yardstick.h"

enum { Push, Load, Store, Add, Multiply, Halve, IsOdd, Less, JumpIfZero, Jump, Halt };

/* Variables: 0 the number, 1 its walk, 2 the steps, 3 the checksum. */
static const short program[] = {
    /*  0 */ Push, 1, Store, 0, Push, 0, Store, 3,
    /*  8 */ Load, 0, Store, 1, Push, 0, Store, 2,
    /* 16 */ Push, 1, Load, 1, Less, JumpIfZero, 52,
    /* 23 */ Load, 2, Push, 1, Add, Store, 2,
    /* 30 */ Load, 1, IsOdd, JumpIfZero, 45,
    /* 35 */ Load, 1, Push, 3, Multiply, Push, 1, Add, Jump, 48,
    /* 45 */ Load, 1, Halve,
    /* 48 */ Store, 1, Jump, 16,
    /* 52 */ Load, 3, Push, 31, Multiply, Load, 2, Add, Store, 3,
    /* 62 */ Load, 0, Push, 1, Add, Store, 0, Load, 0, Push, 600, Less, JumpIfZero, 78,
    /* 76 */ Jump, 8,
    /* 78 */ Halt,
};

u64 work(void)
{
    u64 stack[16], variables[4] = { 0 };
    u64 *top = stack;
    const short *at = program;
    for (;;) {
        switch (*at++) {
        case Push: *top++ = (u64)*at++; break;
        case Load: *top++ = variables[*at++]; break;
        case Store: variables[*at++] = *--top; break;
        case Add: top--; top[-1] += *top; break;
        case Multiply: top--; top[-1] *= *top; break;
        case Halve: top[-1] /= 2; break;
        case IsOdd: top[-1] &= 1; break;
        case Less: top--; top[-1] = top[-1] < *top; break;
        case JumpIfZero: at = *--top ? at + 1 : program + *at; break;
        case Jump: at = program + *at; break;
        case Halt: return mix(variables[3], variables[0]);
        }
    }
}
