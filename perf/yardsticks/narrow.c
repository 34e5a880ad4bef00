/* Arithmetic of 8, 16 and 32 bits: a CRC of each width, a PCM filter, and a checksum as networks have it. */
#include "yardstick.h"

enum { Size = 65536 };

static u8 bytes[Size];
static short samples[Size / 2];

u64 work(void)
{
    u64 state = 88172645463325252ul;
    for (u64 i = 0; i < Size; i++)
        bytes[i] = (u8)next(&state);

    u8 crc8 = 0;
    u16 crc16 = 0xffff;
    u32 crc32 = 0xffffffff;
    for (u64 i = 0; i < Size / 8; i++) {
        crc8 ^= bytes[i];
        crc16 ^= (u16)(bytes[i] << 8);
        crc32 ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc8 = (u8)(crc8 << 1 ^ (crc8 & 0x80 ? 0x07 : 0));
            crc16 = (u16)(crc16 << 1 ^ (crc16 & 0x8000 ? 0x1021 : 0));
            crc32 = crc32 >> 1 ^ (crc32 & 1 ? 0xedb88320 : 0);
        }
    }

    short held = 0;
    for (u64 i = 0; i < Size / 2; i++) {
        short in = (short)(bytes[2 * i] | bytes[2 * i + 1] << 8);
        held = (short)(held + (short)((in - held) >> 3));
        samples[i] = held;
        __asm__ volatile("" : : : "memory"); /* one at a time, not packed */
    }

    u16 sum = 0;
    for (u64 i = 0; i < Size / 2; i++) {
        u32 wide = (u32)sum + (u16)samples[i];
        sum = (u16)(wide + (wide >> 16));
        __asm__ volatile("" : "+r"(sum));
    }

    return mix(mix(crc8, crc16), (u64)crc32 << 16 | sum);
}
