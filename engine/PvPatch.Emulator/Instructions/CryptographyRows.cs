using Iced.Intel;

namespace PvPatch.Emulator.Instructions;

/// <summary>Rows of AES, PCLMULQDQ and SHA.</summary>
internal static unsafe class CryptographyRows
{
    public static void Add(RowBuilder rows)
    {
        rows.Packed(Code.Aesenc_xmm_xmmm128, AesRounds.Encrypt);
        rows.Packed(Code.Aesenclast_xmm_xmmm128, AesRounds.EncryptLast);
        rows.Packed(Code.Aesdec_xmm_xmmm128, AesRounds.Decrypt);
        rows.Packed(Code.Aesdeclast_xmm_xmmm128, AesRounds.DecryptLast);
        rows.Packed(Code.Aesimc_xmm_xmmm128, AesRounds.InvertKey);
        rows.Packed(Code.Aeskeygenassist_xmm_xmmm128_imm8, AesRounds.AssistKey);
        rows.Packed(Code.Pclmulqdq_xmm_xmmm128_imm8, CarrylessProducts.Multiply);
        rows.Packed(Code.Sha1rnds4_xmm_xmmm128_imm8, ShaRounds.Sha1Rounds);
        rows.Packed(Code.Sha1nexte_xmm_xmmm128, ShaRounds.Sha1NextE);
        rows.Packed(Code.Sha1msg1_xmm_xmmm128, ShaRounds.Sha1Message1);
        rows.Packed(Code.Sha1msg2_xmm_xmmm128, ShaRounds.Sha1Message2);
        rows.Set(Code.Sha256rnds2_xmm_xmmm128, &ShapesWithXmm0.Sha256Registers, &ShapesWithXmm0.Sha256Memory);
        rows.Packed(Code.Sha256msg1_xmm_xmmm128, ShaRounds.Sha256Message1);
        rows.Packed(Code.Sha256msg2_xmm_xmmm128, ShaRounds.Sha256Message2);
    }
}
