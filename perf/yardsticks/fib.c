/* Recursion: two calls an instance, little else. */
#include "yardstick.h"

__attribute__((noinline)) static u64 fib(u64 n)
{
    if (n < 2)
        return n;
    u64 first = fib(n - 1);
    __asm__ volatile("" : "+r"(first)); /* keep the second call a call */
    return first + fib(n - 2);
}

u64 work(void)
{
    return fib(25);
}
