/* Handlers: faults with their address, raise, masks, the other stack, SA_RESETHAND, sigsuspend, SIGALRM, SIGFPE, SIGILL. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile int seen;
static double kept = 1.5;

static void fault(int signal, siginfo_t *info, void *context)
{
    (void)context;
    int here;
    printf("signal %d code %d address %p other stack %d\n", signal, info->si_code,
           signal == SIGSEGV ? info->si_addr : NULL, (char *)&here < (char *)context + 4096);
    siglongjmp(back, 1);
}

static void count(int signal) { seen += signal; }

static void skip(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RBX] = 77;
}

static void clobber(int signal)
{
    (void)signal;
    __asm__ volatile("pxor %%xmm0, %%xmm0\n pxor %%xmm7, %%xmm7\n fninit\n xor %%r12, %%r12" ::: "xmm0", "xmm7", "r12");
}

static void try_fault(int number)
{
    volatile int zero = 0;
    if (sigsetjmp(back, 1))
        return;
    switch (number) {
    case 0: *(volatile int *)0x1234 = 5; break;
    case 1: ((volatile char *)"text")[0] = 'T'; break;
    case 2: zero = 1 / zero; break;
    case 3: __asm__ volatile("ud2"); break;
    case 4: __asm__ volatile("hlt"); break;
    case 5: *(volatile int *)0x8000000000000000 = 5; break;
    }
    printf("not reached %d\n", zero);
}

int main(void)
{
    static char other[1 << 16];
    stack_t stack = { .ss_sp = other, .ss_size = sizeof other };
    struct sigaction action = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    int faults[] = { SIGSEGV, SIGFPE, SIGILL, SIGBUS };
    setvbuf(stdout, NULL, _IONBF, 0);
    sigaltstack(&stack, NULL);
    for (int i = 0; i < 4; i++)
        sigaction(faults[i], &action, NULL);
    for (int i = 0; i < 6; i++)
        try_fault(i);

    signal(SIGUSR1, count);
    raise(SIGUSR1);
    kill(getpid(), SIGUSR1);
    printf("seen %d\n", seen);

    sigset_t set, before, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &before);
    raise(SIGUSR1);
    raise(SIGUSR1);
    sigpending(&pending);
    printf("blocked %d pending %d\n", seen, sigismember(&pending, SIGUSR1));
    sigsuspend(&before);
    printf("after sigsuspend %d\n", seen);
    raise(SIGUSR1);
    siginfo_t taken;
    printf("sigwaitinfo %d\n", sigwaitinfo(&set, &taken));
    sigprocmask(SIG_SETMASK, &before, NULL);
    printf("at the end %d\n", seen);

    struct sigaction once = { .sa_handler = count, .sa_flags = SA_RESETHAND };
    sigaction(SIGUSR2, &once, NULL);
    raise(SIGUSR2);
    struct sigaction now;
    sigaction(SIGUSR2, NULL, &now);
    printf("reset %d, seen %d\n", now.sa_handler == SIG_DFL, seen);

    struct sigaction skips = { .sa_sigaction = skip, .sa_flags = SA_SIGINFO };
    sigaction(SIGILL, &skips, NULL);
    long rbx = 1;
    __asm__ volatile("ud2" : "+b"(rbx));
    printf("rbx %ld\n", rbx);

    signal(SIGUSR2, clobber);
    double value = kept * 3;
    long double wide = (long double)kept / 7;
    raise(SIGUSR2);
    printf("%.3f %.12Lf\n", value, wide);

    signal(SIGALRM, count);
    seen = 0;
    alarm(1);
    pause();
    printf("alarm %d, left %u\n", seen, alarm(0));
    signal(SIGCHLD, SIG_IGN);
    raise(SIGCHLD);
    signal(SIGPIPE, SIG_IGN);
    int ends[2];
    if (pipe(ends) == 0) {
        close(ends[0]);
        printf("write %zd\n", write(ends[1], "x", 1));
    }
    signal(SIGTERM, SIG_DFL);
    raise(SIGTERM);
    return 0;
}
