/* SSE2 on integers: a difference of pictures, a product of vectors, a blend with saturation, a transposition. */
#include <emmintrin.h>
#include "yardstick.h"

enum { Size = 32768 };

static u8 first[Size] __attribute__((aligned(16)));
static u8 second[Size + 16] __attribute__((aligned(16)));
static u8 result[Size] __attribute__((aligned(16)));

u64 work(void)
{
    u64 state = 0x0123456789abcdeful;
    for (u64 i = 0; i < Size; i += 8) {
        *(u64 *)(first + i) = next(&state);
        *(u64 *)(second + i) = next(&state);
    }

    u64 sum = 0;
    for (int pass = 0; pass < 6; pass++) {
        __m128i difference = _mm_setzero_si128(), product = _mm_setzero_si128();
        __m128i weight = _mm_set1_epi16((short)(37 + pass)), mask = _mm_set1_epi8((char)0xf0);
        for (u64 i = 0; i < Size; i += 16) {
            __m128i a = _mm_load_si128((const __m128i *)(first + i));
            __m128i b = _mm_loadu_si128((const __m128i *)(second + i + (pass & 7)));
            difference = _mm_add_epi64(difference, _mm_sad_epu8(a, b));
            __m128i low = _mm_unpacklo_epi8(a, _mm_setzero_si128()), high = _mm_unpackhi_epi8(b, _mm_setzero_si128());
            product = _mm_add_epi32(product, _mm_madd_epi16(low, weight));
            product = _mm_xor_si128(product, _mm_slli_epi32(_mm_mullo_epi16(high, weight), 3));
            __m128i blend = _mm_packus_epi16(_mm_srli_epi16(_mm_add_epi16(low, high), 1), _mm_subs_epu16(low, high));
            blend = _mm_or_si128(_mm_and_si128(mask, blend), _mm_andnot_si128(mask, _mm_shuffle_epi32(_mm_max_epu8(a, b), 0x1b)));
            _mm_store_si128((__m128i *)(result + i), _mm_cmpgt_epi8(a, b));
            _mm_store_si128((__m128i *)(first + i), _mm_avg_epu8(blend, a));
            sum += (u64)_mm_movemask_epi8(_mm_cmpeq_epi8(a, blend));
        }

        u64 lanes[4];
        _mm_storeu_si128((__m128i *)lanes, difference);
        _mm_storeu_si128((__m128i *)(lanes + 2), product);
        for (int i = 0; i < 4; i++)
            sum = mix(sum, lanes[i]);
    }

    return sum;
}
