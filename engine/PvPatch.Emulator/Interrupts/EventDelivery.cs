using System.Runtime.CompilerServices;
using PvPatch.Emulator.Guests;
using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;

namespace PvPatch.Emulator.Interrupts;

/// <summary>
/// Delivers events through the guest's IDT in 64-bit mode (Intel SDM vol. 3, 6.14): gate, code segment, stack, frame,
/// handler, IRET. The handler is a managed function whose address stands in the gate; it runs nested on the host's stack,
/// so delivery returns when it has returned.
/// </summary>
/// <param name="cpu">The vCPU.</param>
/// <param name="tripleFault">Called with the story when even the double fault could not be delivered; does not return.</param>
internal sealed unsafe class EventDelivery(CpuState* cpu, Action<string> tripleFault)
{
    /// <summary>Handlers that may stand nested on the host's stack: far more than 15 priorities and a few exceptions.</summary>
    private const int MaxDepth = 128;

    private const uint External = 1;
    private const uint InIdt = 2;
    private const ulong NotInHandler = RFlags.Trap | RFlags.NestedTask | RFlags.Resume | RFlags.Virtual8086;

    private readonly CpuState* _cpu = cpu;
    private int _depth;

    /// <summary>Delivers an event and, where that fails, what the failure raises.</summary>
    public void Deliver(byte vector, uint errorCode)
    {
        var current = new DeliveryFault(vector, errorCode, 0, "first event");
        string story = $"vCPU {_cpu->Index}: vector {vector}";
        while (TryRun(current) is { } fault)
        {
            story += $", then {fault}";
            if (fault.Vector == DeliveryFault.PageFault) _cpu->Cr2 = fault.Address; // even if it ends as a double fault
            if (current.Vector == DeliveryFault.DoubleFaultVector)
            {
                tripleFault(story);
                return;
            }

            current = current.DoublesWith(fault) ? DeliveryFault.DoubleFault : fault;
        }
    }

    /// <summary>Enters the handler and returns from it; or says what entering raised.</summary>
    private DeliveryFault? TryRun(DeliveryFault current)
    {
        if (!TryGate(current.Vector, out IdtGate gate, out DeliveryFault fault)
            || !TryCodeSegment(gate, out Segment codeSegment, out fault)
            || !TryStack(gate, codeSegment.Selector & 3, out ulong stack, out fault))
        {
            return fault;
        }

        if (gate.Offset == 0) return new DeliveryFault(DeliveryFault.PageFault, PageFaultBits.Fetch, 0, $"the gate of vector {current.Vector} leads to address 0");
        if (_depth >= MaxDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            tripleFault($"vCPU {_cpu->Index}: vector {current.Vector} came with {_depth} handlers on the stack already");
        }

        InterruptFrame onHost;
        ulong frameAddress = stack - (ulong)sizeof(InterruptFrame);
        if (!TryPlaceFrame(frameAddress, &onHost, out InterruptFrame* frame, out fault)) return fault;

        Segment code = _cpu->Cs, stackSegment = _cpu->Ss;
        Push(frame, current);
        if (frame == &onHost && !LinearMemory.TryStore(_cpu, frameAddress, AccessMode.Supervisor, onHost, out MemoryFault denied)) return DeliveryFault.Of(denied, "the stack");
        EnterHandler(gate, frameAddress, codeSegment);
        _depth++;

        // SAFETY: the gate's offset is the guest's code, which in a C# guest is the address of a managed method of this
        // shape; that it is one is the guest's word, as the bytes behind a gate are on hardware.
        ((delegate* managed<CpuState*, InterruptFrame*, void>)gate.Offset)(_cpu, frame);
        _depth--;
        InterruptReturn(frame, code, stackSegment);
        return null;
    }

    private bool TryRead<T>(ulong linear, string what, out T value, out DeliveryFault fault)
        where T : unmanaged
    {
        bool done = LinearMemory.TryLoad(_cpu, linear, AccessMode.Supervisor, out value, out MemoryFault denied);
        fault = done ? default : DeliveryFault.Of(denied, what);
        return done;
    }

    /// <summary>
    /// Where the handler sees its frame: in guest memory, unless the frame crosses into a page that lies elsewhere in RAM;
    /// then guest memory holds a copy and the handler's own stands on the host's stack.
    /// </summary>
    private bool TryPlaceFrame(ulong address, InterruptFrame* onHost, out InterruptFrame* frame, out DeliveryFault fault)
    {
        frame = null;
        fault = default;
        ulong lastByte = address + (ulong)sizeof(InterruptFrame) - 1;
        if (!Tlb.TryFill(_cpu, address, AccessKind.Write, AccessMode.Supervisor, out _, out byte* first, out MemoryFault denied)
            || !Tlb.TryFill(_cpu, lastByte, AccessKind.Write, AccessMode.Supervisor, out _, out byte* last, out denied))
        {
            fault = DeliveryFault.Of(denied, "the stack");
            return false;
        }

        if (first == null || last == null)
        {
            // The bus would swallow the frame and IRET read ones; the guest is told at once where its stack is wrong.
            fault = new(DeliveryFault.StackFault, External, 0, $"the stack at linear address 0x{address:x} is not RAM");
            return false;
        }

        frame = last - first == sizeof(InterruptFrame) - 1 ? (InterruptFrame*)first : onHost;
        return true;
    }

    private bool TryGate(byte vector, out IdtGate gate, out DeliveryFault fault)
    {
        uint code = vector * 8u | InIdt | External;
        uint end = vector * 16u + 15;
        gate = default;
        if (end > _cpu->Idtr.Limit)
        {
            fault = new(DeliveryFault.GeneralProtection, code, 0, $"vector {vector} lies beyond the IDT's limit 0x{_cpu->Idtr.Limit:x}");
            return false;
        }

        if (!TryRead(_cpu->Idtr.Base + vector * 16u, "the IDT", out gate, out fault)) return false;
        if (!gate.IsInterruptOrTrap) fault = new(DeliveryFault.GeneralProtection, code, 0, $"the gate of vector {vector} is neither interrupt nor trap gate");
        else if (!gate.IsPresent) fault = new(DeliveryFault.NotPresent, code, 0, $"the gate of vector {vector} is not present");
        else return true;
        return false;
    }

    /// <summary>The handler's code segment with the privilege it gives: at least the current one's.</summary>
    private bool TryCodeSegment(IdtGate gate, out Segment code, out DeliveryFault fault)
    {
        uint errorCode = (gate.Selector & ~3u) | External;
        code = default;
        if ((gate.Selector & ~3) == 0 || (gate.Selector | 7u) > _cpu->Gdtr.Limit || (gate.Selector & 4) != 0)
        {
            fault = new(DeliveryFault.GeneralProtection, (gate.Selector & ~3) == 0 ? External : errorCode, 0, $"the gate's code selector 0x{gate.Selector:x} is null, in the LDT or beyond the GDT's limit 0x{_cpu->Gdtr.Limit:x}");
            return false;
        }

        if (!TryRead(_cpu->Gdtr.Base + (gate.Selector & ~7u), "the GDT", out ulong raw, out fault)) return false;
        var segment = new CodeDescriptor(raw);
        int privilege = _cpu->Cs.Selector & 3;
        if (!segment.IsLongModeCode || segment.Privilege > privilege)
        {
            fault = new(DeliveryFault.GeneralProtection, errorCode, 0, $"the gate's code selector 0x{gate.Selector:x} is no 64-bit code segment of ring {privilege} or below");
            return false;
        }

        if (!segment.IsPresent)
        {
            fault = new(DeliveryFault.NotPresent, errorCode, 0, $"the gate's code selector 0x{gate.Selector:x} is not present");
            return false;
        }

        int ring = segment.Conforming ? privilege : segment.Privilege;
        code = new Segment { Selector = (ushort)((gate.Selector & ~3) | ring), Attributes = segment.Attributes, Limit = uint.MaxValue };
        return true;
    }

    /// <summary>The stack the frame goes on, aligned to 16: from the IST, from the TSS when the ring changes, else the current one.</summary>
    private bool TryStack(IdtGate gate, int privilege, out ulong stack, out DeliveryFault fault)
    {
        stack = _cpu->Rsp;
        fault = default;
        bool ringChanges = privilege != (_cpu->Cs.Selector & 3);
        if (gate.Ist != 0 || ringChanges)
        {
            // In a 64-bit TSS RSP0 is at 4, IST1 at 0x24 (SDM vol. 3, figure 7-11).
            uint offset = gate.Ist != 0 ? 0x24u + (gate.Ist - 1u) * 8 : 4u + (uint)privilege * 8;
            if (offset + 7 > _cpu->Tr.Limit)
            {
                fault = new(DeliveryFault.InvalidTss, (_cpu->Tr.Selector & ~3u) | External, 0, $"the stack pointer at 0x{offset:x} lies beyond the TSS's limit 0x{_cpu->Tr.Limit:x}");
                return false;
            }

            if (!TryRead(_cpu->Tr.Base + offset, "the TSS", out stack, out fault)) return false;
        }

        stack &= ~15ul;
        if (PageWalk.IsCanonical(stack - 1)) return true;
        fault = new(DeliveryFault.StackFault, External, 0, $"the stack pointer 0x{stack:x} is not canonical");
        return false;
    }

    private void Push(InterruptFrame* frame, DeliveryFault current)
    {
        frame->Vector = current.Vector;
        frame->ErrorCode = current.ErrorCode;
        frame->Rip = _cpu->Rip;
        frame->Cs = _cpu->Cs.Selector;
        frame->RFlags = _cpu->RFlags;
        frame->Rsp = _cpu->Rsp;
        frame->Ss = _cpu->Ss.Selector;
    }

    /// <summary>A change of ring leaves a null SS of the new ring (SDM vol. 3, 6.14.2).</summary>
    private void EnterHandler(IdtGate gate, ulong stack, Segment codeSegment)
    {
        int ring = codeSegment.Selector & 3;
        if (ring != (_cpu->Cs.Selector & 3)) _cpu->Ss.Selector = (ushort)ring;
        _cpu->Rsp = stack;
        _cpu->Cs = codeSegment;
        _cpu->Rip = gate.Offset;
        _cpu->RFlags &= ~(NotInHandler | (gate.ClearsInterruptFlag ? RFlags.InterruptEnable : 0));
    }

    /// <summary>
    /// IRET. The hidden parts of CS and SS are those of before: all of a 64-bit guest's segments are flat, so a selector
    /// that the handler changed in the frame changes the ring and nothing else.
    /// </summary>
    private void InterruptReturn(InterruptFrame* frame, Segment code, Segment stackSegment)
    {
        _cpu->Rip = frame->Rip;
        _cpu->Cs = code with { Selector = (ushort)frame->Cs };
        _cpu->RFlags = frame->RFlags | RFlags.Fixed;
        _cpu->Rsp = frame->Rsp;
        _cpu->Ss = stackSegment with { Selector = (ushort)frame->Ss };
    }
}
