/* Threads: mutexes, condition variables, barriers, thread-local data, timed waits, joins, exit values. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { Threads = 8, Rounds = 2000 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static __thread long own = 5;
static long shared, atomic, next, started;
static char order[Threads * 3 + 1];

static void start_once(void) { started++; }
static void drop(void *value) { free(value); __atomic_add_fetch(&atomic, 1000000, __ATOMIC_SEQ_CST); }

static void *work(void *argument)
{
    long number = (long)argument;
    pthread_once(&once, start_once);
    pthread_setspecific(key, malloc(100));
    own += number;
    for (int i = 0; i < Rounds; i++) {
        pthread_mutex_lock(&lock);
        shared++;
        pthread_mutex_unlock(&lock);
        __atomic_add_fetch(&atomic, 1, __ATOMIC_SEQ_CST);
    }
    pthread_barrier_wait(&barrier);
    for (int round = 0; round < 3; round++) {
        pthread_mutex_lock(&lock);
        while (next % Threads != number)
            pthread_cond_wait(&turn, &lock);
        order[next++] = (char)('a' + number);
        pthread_cond_broadcast(&turn);
        pthread_mutex_unlock(&lock);
    }
    return (void *)own;
}

int main(void)
{
    pthread_t threads[Threads];
    long sum = 0;
    void *value;
    pthread_key_create(&key, drop);
    pthread_barrier_init(&barrier, NULL, Threads);
    for (long i = 0; i < Threads; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i))
            return 1;
    for (int i = 0; i < Threads; i++) {
        pthread_join(threads[i], &value);
        sum += (long)value;
    }
    printf("%ld %ld %ld %ld own %ld %s\n", shared, atomic, started, sum, own, order);

    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&lock);
    printf("timed out %d\n", pthread_cond_timedwait(&turn, &lock, &until) == ETIMEDOUT);
    pthread_mutex_unlock(&lock);
    return 3;
}
