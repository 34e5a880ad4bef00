using Iced.Intel;

namespace PvPatch.Emulator.Translator;

/// <summary>
/// Which elements of XMM registers are known, where code is being written, to be neither NaN nor denormal: results of arithmetic that
/// was looked at. They need no look as operands.
/// </summary>
internal sealed class CleanElements
{
    private readonly int[] _singles = new int[16];
    private readonly int[] _doubles = new int[16];

    /// <summary>Whether so many elements of a size, from the lowest on, are known to be clean.</summary>
    public bool Has(Register register, int size, int count) => (size == 4 ? _singles : _doubles)[register - Register.XMM0] >= count;

    /// <summary>So many elements of a size were looked at, and nothing was written.</summary>
    public void Add(Register register, int size, int count)
    {
        int[] known = size == 4 ? _singles : _doubles;
        known[register - Register.XMM0] = Math.Max(known[register - Register.XMM0], count);
    }

    /// <summary>So many clean elements of a size were written.</summary>
    public void Write(Register register, int size, int count)
    {
        (size == 4 ? _doubles : _singles)[register - Register.XMM0] = 0;
        Add(register, size, count);
    }

    /// <summary>The register is zero.</summary>
    public void Clear(Register register)
    {
        Add(register, 4, 4);
        Add(register, 8, 2);
    }

    /// <summary>One register was copied to another.</summary>
    public void Copy(Register from, Register to)
    {
        _singles[to - Register.XMM0] = _singles[from - Register.XMM0];
        _doubles[to - Register.XMM0] = _doubles[from - Register.XMM0];
    }

    /// <summary>Something else was written to the register.</summary>
    public void Forget(Register register)
    {
        _singles[register - Register.XMM0] = 0;
        _doubles[register - Register.XMM0] = 0;
    }

    /// <summary>Nothing is known.</summary>
    public void Forget()
    {
        Array.Clear(_singles);
        Array.Clear(_doubles);
    }
}
