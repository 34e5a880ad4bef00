/* What every yardstick has: one repetition of its work, the same each time, and its checksum. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long i64;

u64 work(void);

/* The next of a fixed series of numbers that look random (xorshift, 64 bits). */
static inline u64 next(u64 *state)
{
    u64 x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

/* Adds a value to a checksum. */
static inline u64 mix(u64 sum, u64 value)
{
    return (sum ^ value) * 0x9e3779b97f4a7c15ul + (sum >> 29);
}

/* The checksum as 16 digits and a line feed. */
static inline void digits(u64 sum, char text[17])
{
    for (int i = 0; i < 16; i++)
        text[i] = "0123456789abcdef"[sum >> (60 - 4 * i) & 15];
    text[16] = '\n';
}

static inline u64 repeat(u64 repetitions)
{
    u64 sum = 0;
    while (repetitions--)
        sum = work();
    return sum;
}

static inline u64 number(const char *text)
{
    u64 n = 0;
    while (*text >= '0' && *text <= '9')
        n = n * 10 + (u64)(*text++ - '0');
    return n;
}
