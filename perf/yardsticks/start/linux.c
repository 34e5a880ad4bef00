/* The start of a program without a C library: the first argument is the number of repetitions. */
#include "../yardstick.h"

static i64 call(i64 number, i64 a, i64 b, i64 c)
{
    i64 result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

__attribute__((noreturn, used)) static void start(const u64 *stack)
{
    char text[17];
    digits(repeat(stack[0] > 1 ? number((const char *)stack[2]) : 1), text);
    call(1, 1, (i64)text, sizeof text);
    for (;;)
        call(60, 0, 0, 0);
}

__asm__(".globl _start\n"
        "_start: xor %ebp, %ebp\n"
        "        mov %rsp, %rdi\n"
        "        and $-16, %rsp\n"
        "        call start\n");
