using PvPatch.Engine.Reports;

namespace PvPatch.Emulator.Translator;

/// <summary>An instruction of the guest on its way to machine code of the host.</summary>
/// <param name="Rip">Where it stands.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Text">What they mean, as Iced's formatter writes it.</param>
/// <param name="StartsBlock">Whether a block starts with it.</param>
/// <param name="Il">The IL that is written for it, a line an instruction; side exits stand elsewhere.</param>
public sealed record ExplainedInstruction(ulong Rip, IReadOnlyList<byte> Bytes, string Text, bool StartsBlock, IReadOnlyList<string> Il);

/// <summary>What becomes of the code at an address: a region of blocks that are translated together.</summary>
/// <param name="Instructions">Its instructions, by address; of one that the interpreter executes, that one alone.</param>
/// <param name="SensitiveSites">Where it calls sensitive ops, and how.</param>
/// <param name="Code">Where the runtime put its machine code; 0 if there is none. It stays as long as <see cref="Owner"/>.</param>
/// <param name="Owner">Keeps the machine code.</param>
public sealed record ExplainedRegion(IReadOnlyList<ExplainedInstruction> Instructions, IReadOnlyList<PatchedSite> SensitiveSites, nint Code, object Owner);
