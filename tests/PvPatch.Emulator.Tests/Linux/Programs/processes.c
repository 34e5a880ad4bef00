/* fork, pipes, wait, exec of itself, vfork, SIGCHLD, shared memory, signals between processes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int children;
static void child_ended(int signal) { (void)signal; children++; }

int main(int count, char **arguments)
{
    if (count > 1) {
        printf("run again with %s, %s\n", arguments[1], getenv("NAME"));
        return 9;
    }
    setvbuf(stdout, NULL, _IONBF, 0);
    int *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2], status;
    char text[64] = "";
    signal(SIGCHLD, child_ended);
    *own = 1;
    if (pipe(ends))
        return 1;
    pid_t child = fork();
    if (child == 0) {
        page[0] = 41;
        page[1500] = 43;
        *own = 2;
        close(ends[0]);
        for (int i = 0; i < 3; i++)
            if (write(ends[1], "message ", 8) != 8)
                _exit(1);
        _exit(getppid() == getpid() ? 1 : 5);
    }
    close(ends[1]);
    ssize_t all = 0, got;
    while ((got = read(ends[0], text + all, sizeof text - (size_t)all)) > 0)
        all += got;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    printf("%s%d %d %d %d status %d\n", text, page[0], page[1500], *own, children, WEXITSTATUS(status));

    child = vfork();
    if (child == 0) {
        char *again[] = { "again", "argument", NULL };
        char *environment[] = { "NAME=value", NULL };
        execve("/proc/self/exe", again, environment);
        _exit(127);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    printf("exec %d\n", WEXITSTATUS(status));
    char *nothing[] = { "none", NULL };
    printf("posix_spawn %d\n", posix_spawn(&child, "/no/such/file", NULL, NULL, nothing, nothing));

    child = fork();
    if (child == 0)
        for (;;)
            pause();
    kill(child, SIGTERM);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    printf("killed by %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    child = fork();
    if (child == 0)
        *(volatile int *)strtol("8", NULL, 10) = 1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    printf("fault %d, none left %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0, wait(NULL) == -1 && errno == ECHILD);

    if (pipe2(ends, O_NONBLOCK))
        return 1;
    struct pollfd asked[2] = { { .fd = ends[0], .events = POLLIN }, { .fd = ends[1], .events = POLLOUT } };
    printf("poll %d %d %d\n", poll(asked, 2, 10), asked[0].revents, asked[1].revents);
    long sum = 0;
    char block[5000] = "";
    while ((got = write(ends[1], block, sizeof block)) > 0)
        sum += got;
    printf("full at %d, %d\n", sum > 0, errno == EAGAIN);
    close(ends[1]);
    for (sum = 0; (got = read(ends[0], block, sizeof block)) > 0; sum += got)
        ;
    printf("end %zd\n", got);

    if (pipe(ends))
        return 1;
    child = fork();
    if (child == 0) {
        close(ends[0]);
        char *large = malloc(300000);
        memset(large, 'x', 300000);
        _exit(write(ends[1], large, 300000) == 300000 ? 0 : 1);
    }
    close(ends[1]);
    for (sum = 0; (got = read(ends[0], block, sizeof block)) > 0; sum += got)
        ;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    printf("large %ld %d\n", sum, WEXITSTATUS(status));
    return 0;
}
