/* SSE2 floating point: planets that attract each other, in double precision, and a smoothed row of single ones. */
#include <emmintrin.h>
#include "yardstick.h"

enum { Bodies = 8, Steps = 400, Row = 4096 };

static struct body { double place[3], speed[3], mass; } bodies[Bodies];
static float row[Row];

static double root(double x)
{
    return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(x)));
}

u64 work(void)
{
    u64 state = 0xdeadbeefcafef00dul;
    for (int i = 0; i < Bodies; i++) {
        for (int axis = 0; axis < 3; axis++) {
            bodies[i].place[axis] = (double)(next(&state) >> 11) * 0x1p-50;
            bodies[i].speed[axis] = (double)(next(&state) >> 11) * 0x1p-53 - 0.5;
        }

        bodies[i].mass = 1 + i * 0.25;
    }

    for (int step = 0; step < Steps; step++) {
        for (int i = 0; i < Bodies; i++) {
            for (int j = i + 1; j < Bodies; j++) {
                double away[3], square = 0.01;
                for (int axis = 0; axis < 3; axis++) {
                    away[axis] = bodies[i].place[axis] - bodies[j].place[axis];
                    square += away[axis] * away[axis];
                }

                double pull = 0.001 / (square * root(square));
                for (int axis = 0; axis < 3; axis++) {
                    bodies[i].speed[axis] -= away[axis] * bodies[j].mass * pull;
                    bodies[j].speed[axis] += away[axis] * bodies[i].mass * pull;
                }
            }
        }

        for (int i = 0; i < Bodies; i++)
            for (int axis = 0; axis < 3; axis++)
                bodies[i].place[axis] += 0.001 * bodies[i].speed[axis];
    }

    for (int i = 0; i < Row; i++)
        row[i] = (float)(u32)(next(&state) >> 40);
    for (int pass = 0; pass < 8; pass++)
        for (int i = 1; i < Row - 1; i++)
            row[i] = row[i] * 0.5f + (row[i - 1] + row[i + 1]) * 0.25f;

    u64 sum = 0;
    for (int i = 0; i < Bodies; i++) {
        for (int axis = 0; axis < 3; axis++) {
            union { double value; u64 bits; } place = { bodies[i].place[axis] };
            sum = mix(sum, place.bits);
        }
    }

    for (int i = 0; i < Row; i += 64)
        sum = mix(sum, (u64)(i64)(row[i] * 16.0f));
    return sum;
}
