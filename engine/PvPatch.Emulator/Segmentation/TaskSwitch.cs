using PvPatch.Emulator.Memory;
using PvPatch.Emulator.State;
using static PvPatch.Emulator.Segmentation.DescriptorTables;

namespace PvPatch.Emulator.Segmentation;

/// <summary>What leads to another task, which decides about its busy bit, NT and the link back (Intel SDM vol. 3, table 7-2).</summary>
internal enum TaskSwitchCause
{
    /// <summary>JMP.</summary>
    Jump,

    /// <summary>CALL, an exception or an interrupt: the new task is nested.</summary>
    Nesting,

    /// <summary>IRET with NT set.</summary>
    Return,
}

/// <summary>
/// The task switch of 16 and 32-bit protected mode (Intel SDM vol. 3, 7.3). Up to the commit point a fault leaves the old task as
/// it was; from there on it is raised in the new one, before its first instruction.
/// </summary>
internal static unsafe class TaskSwitch
{
    private const uint LeastLimit32 = 0x67;
    private const uint LeastLimit16 = 0x2b;
    private const ulong LocalBreakpoints = 0x155;
    private const ulong TaskSwitchTrap = 1ul << 15;
    private const ulong NarrowFlags = RFlags.Carry | RFlags.Parity | RFlags.Adjust | RFlags.Zero | RFlags.Sign | RFlags.Overflow |
        RFlags.Trap | RFlags.InterruptEnable | RFlags.Direction | RFlags.IoPrivilegeLevel | RFlags.NestedTask;

    private const ulong WideFlags = NarrowFlags | RFlags.Resume | RFlags.Virtual8086 | RFlags.AlignmentCheck | RFlags.Id;

    /// <summary>Switches to the task of a TSS whose type and privilege the caller checked.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="selector">Selects the new TSS.</param>
    /// <param name="descriptor">Its descriptor.</param>
    /// <param name="cause">What leads there.</param>
    /// <param name="rip">Where the old task goes on.</param>
    /// <param name="flags">The flags that the old task goes on with.</param>
    /// <param name="external">The EXT bit of error codes.</param>
    /// <param name="committed">Whether the new task is the current one.</param>
    /// <param name="fault">The exception.</param>
    public static bool TrySwitch(
        CpuState* cpu, ushort selector, Descriptor descriptor, TaskSwitchCause cause, ulong rip, ulong flags, uint external,
        out bool committed, out MemoryFault fault)
    {
        committed = false;
        bool wide = IsWide(descriptor);
        Segment next = descriptor.ToSegment(selector);
        if (next.Limit < (wide ? LeastLimit32 : LeastLimit16))
            return Refuse(Vectors.InvalidTss, Selector.ErrorCode(selector) | external, out fault);

        bool oldIsWide = TaskState.IsWide(cpu);
        TaskImage image;
        if (!TryLoad(cpu, next, wide, &image, out fault) || !TryProbe(cpu, cpu->Tr, oldIsWide, out fault))
            return false;
        if (cause != TaskSwitchCause.Nesting)
        {
            if (!TryRead(cpu, cpu->Tr.Selector, Vectors.InvalidTss, external, out Descriptor old, out fault) ||
                !TryMarkBusy(cpu, cpu->Tr.Selector, old, busy: false, out fault))
            {
                return false;
            }

            // The busy bit of a task that jumps to itself was just cleared in the descriptor that is marked below.
            if ((selector & ~7) == (cpu->Tr.Selector & ~7))
                descriptor = new Descriptor(descriptor.Raw & ~Descriptor.Busy);
        }

        if (cause != TaskSwitchCause.Return && !TryMarkBusy(cpu, selector, descriptor, busy: true, out fault))
            return false;
        if (cause == TaskSwitchCause.Nesting && !LinearMemory.TryStore(cpu, next.Base, AccessMode.Supervisor, cpu->Tr.Selector, out fault))
            return false;
        if (cause == TaskSwitchCause.Return)
            flags &= ~RFlags.NestedTask;
        if (!TrySave(cpu, oldIsWide, rip, flags, out fault))
            return false;

        committed = true;
        next.Attributes |= (ushort)(Descriptor.Busy >> 40);
        cpu->Tr = next;
        cpu->Cr0 |= Cr0Bits.TaskSwitched;
        cpu->Dr[7] &= ~LocalBreakpoints;
        ulong nested = cause == TaskSwitchCause.Nesting ? RFlags.NestedTask : 0;
        return TryEnter(cpu, image, wide, nested, external, out fault);
    }

    private static bool IsWide(Descriptor descriptor) => descriptor.Is(SystemType.AvailableTss, SystemType.BusyTss);

    private static bool TryEnter(CpuState* cpu, in TaskImage image, bool wide, ulong nested, uint external, out MemoryFault fault)
    {
        fault = default;
        if (wide && (cpu->Cr0 & Cr0Bits.Paging) != 0 && ControlRegisters.Write(cpu, 3, image.Cr3) != 0)
            return Refuse(Vectors.InvalidTss, Selector.ErrorCode(cpu->Tr.Selector) | external, out fault);

        cpu->Rip = image.Eip;
        cpu->RFlags = (image.Eflags & (wide ? WideFlags : NarrowFlags)) | RFlags.Fixed | nested;
        for (int i = 0; i < 8; i++)
            cpu->Gpr[i] = wide ? image.General[i] : 0xffff_0000u | image.General[i]; // A 386 sets the upper halves, and so does everything since.
        if (image.Traps)
            cpu->PendingDebug |= TaskSwitchTrap;

        Segment** registers = stackalloc Segment*[6] { &cpu->Es, &cpu->Cs, &cpu->Ss, &cpu->Ds, &cpu->Fs, &cpu->Gs };
        bool virtual8086 = ProcessorMode.IsVirtual8086(cpu);
        for (int i = 0; i < 6; i++)
            *registers[i] = virtual8086 ? SegmentLoads.Virtual8086(image.Selectors[i]) : new Segment { Selector = image.Selectors[i] };
        ushort local = image.Ldt;
        cpu->Ldtr = new Segment { Selector = local };
        if (!SegmentLoads.TryLoadLdt(cpu, local, Vectors.InvalidTss, out fault))
            return With(external, ref fault);
        if (!virtual8086 && !TryLoadSegments(cpu, registers, out fault))
            return With(external, ref fault);
        return cpu->Rip <= cpu->Cs.Limit || Refuse(Vectors.GeneralProtection, external, out fault);
    }

    /// <summary>Loads the descriptors of the selectors that are already in the registers; CS decides the level.</summary>
    private static bool TryLoadSegments(CpuState* cpu, Segment** registers, out MemoryFault fault)
    {
        ushort selector = cpu->Cs.Selector;
        uint code = Selector.ErrorCode(selector);
        int level = Selector.RequestedPrivilege(selector);
        if (Selector.IsNull(selector))
            return Refuse(Vectors.InvalidTss, 0, out fault);
        if (!TryRead(cpu, selector, Vectors.InvalidTss, 0, out Descriptor descriptor, out fault))
            return false;
        bool allowed = descriptor.IsCode && (descriptor.IsConforming ? descriptor.Privilege <= level : descriptor.Privilege == level);
        if (!allowed)
            return Refuse(Vectors.InvalidTss, code, out fault);
        if (!descriptor.IsPresent)
            return Refuse(Vectors.SegmentNotPresent, code, out fault);
        if (!SegmentLoads.TryReadStack(cpu, cpu->Ss.Selector, level, Vectors.InvalidTss, 0, out Segment stack, out fault))
            return false;
        cpu->Ss = stack;
        if (!SegmentLoads.TryTakeCode(cpu, selector, descriptor, level, out cpu->Cs, out fault))
            return false;
        foreach (int i in (ReadOnlySpan<int>)[3, 0, 4, 5])
        {
            if (!SegmentLoads.TryLoadData(cpu, registers[i], registers[i]->Selector, Vectors.InvalidTss, out fault))
                return false;
        }

        return true;
    }

    private static bool With(uint external, ref MemoryFault fault)
    {
        if (fault.Vector != Vectors.PageFault)
            fault = fault with { ErrorCode = fault.ErrorCode | external };
        return false;
    }

    /// <summary>Whether the old task can be saved.</summary>
    private static bool TryProbe(CpuState* cpu, in Segment old, bool wide, out MemoryFault fault)
    {
        (uint first, int size) = wide ? (0x20u, 0x40) : (0x0eu, 0x1c);
        return ReservedBytes.TryReserve(cpu, old.Base + first, size, AccessKind.Write, AccessMode.Supervisor, out _, out fault);
    }

    /// <summary>EIP, EFLAGS, general registers and selectors into the old TSS; its other fields are the system's.</summary>
    private static bool TrySave(CpuState* cpu, bool wide, ulong rip, ulong flags, out MemoryFault fault)
    {
        Segment** registers = stackalloc Segment*[6] { &cpu->Es, &cpu->Cs, &cpu->Ss, &cpu->Ds, &cpu->Fs, &cpu->Gs };
        int step = wide ? 4 : 2;
        uint place = wide ? 0x20u : 0x0eu;
        bool done = TryStore(cpu, place, (uint)rip, wide, out fault) && TryStore(cpu, place + (uint)step, (uint)flags, wide, out fault);
        place += (uint)(2 * step);
        for (int i = 0; done && i < 8; i++, place += (uint)step)
            done = TryStore(cpu, place, (uint)cpu->Gpr[i], wide, out fault);
        for (int i = 0; done && i < (wide ? 6 : 4); i++, place += (uint)step)
            done = TryStore(cpu, place, registers[i]->Selector, wide: false, out fault);
        return done;
    }

    private static bool TryStore(CpuState* cpu, uint offset, uint value, bool wide, out MemoryFault fault) => wide
        ? LinearMemory.TryStore(cpu, cpu->Tr.Base + offset, AccessMode.Supervisor, value, out fault)
        : LinearMemory.TryStore(cpu, cpu->Tr.Base + offset, AccessMode.Supervisor, (ushort)value, out fault);

    private static bool TryLoad(CpuState* cpu, in Segment task, bool wide, TaskImage* image, out MemoryFault fault)
    {
        byte* bytes = stackalloc byte[(int)LeastLimit32 + 1];
        int size = (int)(wide ? LeastLimit32 : LeastLimit16) + 1;
        if (!ReservedBytes.TryReserve(cpu, task.Base, size, AccessKind.Read, AccessMode.Supervisor, out ReservedBytes found, out fault))
            return false;
        found.CopyTo(cpu, bytes);
        // SAFETY: the offsets are those of the TSS's figures, all below its least size, which bytes holds.
        *image = default;
        image->Cr3 = wide ? *(uint*)(bytes + 0x1c) : 0;
        image->Eip = wide ? *(uint*)(bytes + 0x20) : *(ushort*)(bytes + 0x0e);
        image->Eflags = wide ? *(uint*)(bytes + 0x24) : *(ushort*)(bytes + 0x10);
        for (int i = 0; i < 8; i++)
            image->General[i] = wide ? *(uint*)(bytes + 0x28 + (4 * i)) : *(ushort*)(bytes + 0x12 + (2 * i));
        for (int i = 0; i < (wide ? 6 : 4); i++)
            image->Selectors[i] = wide ? *(ushort*)(bytes + 0x48 + (4 * i)) : *(ushort*)(bytes + 0x22 + (2 * i));
        image->Ldt = wide ? *(ushort*)(bytes + 0x60) : *(ushort*)(bytes + 0x2a);
        image->Traps = wide && (bytes[0x64] & 1) != 0;
        return true;
    }

    /// <summary>What a TSS holds of a task, whatever its width.</summary>
    private struct TaskImage
    {
        public uint Cr3;
        public uint Eip;
        public uint Eflags;
        public fixed uint General[8];
        public fixed ushort Selectors[6];
        public ushort Ldt;
        public bool Traps;
    }
}
