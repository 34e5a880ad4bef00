using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>Adds methods of random but valid IL to a copy of the fixtures: calls through slots in every shape, between branches, loops and handlers.</summary>
internal sealed class RandomMethods
{
    private static readonly string[] UnaryOps = ["Negate", "Same", "Huge"];

    private readonly Random random;
    private readonly ModuleDefinition module;
    private readonly TypeDefinition tables;
    private readonly TypeReference int64;
    private MethodDefinition method = null!;
    private ILProcessor il = null!;
    private VariableDefinition[] numbers = null!;
    private VariableDefinition tableRef = null!;
    private Dictionary<string, VariableDefinition> held = null!;

    private RandomMethods(ModuleDefinition module, int seed)
    {
        random = new Random(seed);
        this.module = module;
        tables = module.GetType("PvPatch.Engine.Fixtures.Pv");
        int64 = module.TypeSystem.Int64;
    }

    /// <summary>Writes a copy of an assembly with such methods in a class <c>RandomMethods</c>.</summary>
    public static void Write(string from, string to, int seed, int count)
    {
        using var assembly = AssemblyDefinition.ReadAssembly(from);
        var type = new TypeDefinition("", "RandomMethods", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed, assembly.MainModule.TypeSystem.Object);
        assembly.MainModule.Types.Add(type);
        var generator = new RandomMethods(assembly.MainModule, seed);
        for (int i = 0; i < count; i++)
            type.Methods.Add(generator.Method($"M{i}"));
        assembly.Write(to);
    }

    private MethodDefinition Method(string name)
    {
        method = new MethodDefinition(name, MethodAttributes.Public | MethodAttributes.Static | MethodAttributes.HideBySig, int64);
        method.Parameters.Add(new ParameterDefinition(int64));
        method.Parameters.Add(new ParameterDefinition(int64));
        method.Body.InitLocals = true;
        il = method.Body.GetILProcessor();
        numbers = [.. Enumerable.Range(0, 4).Select(_ => Local(int64))];
        held = new Dictionary<string, VariableDefinition>(StringComparer.Ordinal);
        tableRef = Local(new ByReferenceType(Field("Math").FieldType));

        il.Emit(OpCodes.Ldsflda, Field("Math"));
        il.Emit(OpCodes.Stloc, tableRef);
        if (random.Next(2) == 0)
        {
            foreach (string op in UnaryOps)
            {
                VariableDefinition local = Local(Slot(op).FieldType);
                EmitPointer(op);
                il.Emit(OpCodes.Stloc, local);
                held[op] = local;
            }
        }

        for (int statements = random.Next(2, 6); statements > 0; statements--)
            EmitStatement(3);
        il.Emit(OpCodes.Ldloc, numbers[0]);
        foreach (VariableDefinition number in numbers[1..])
        {
            il.Emit(OpCodes.Ldc_I4, 31);
            il.Emit(OpCodes.Conv_I8);
            il.Emit(OpCodes.Mul);
            il.Emit(OpCodes.Ldloc, number);
            il.Emit(OpCodes.Xor);
        }

        il.Emit(OpCodes.Ret);
        if (random.Next(2) == 0)
            method.Body.OptimizeMacros();
        return method;
    }

    private void EmitStatement(int depth)
    {
        switch (random.Next(depth > 0 ? 9 : 4))
        {
            case 0 or 1:
                EmitNumber(3);
                il.Emit(OpCodes.Stloc, numbers[random.Next(numbers.Length)]);
                break;
            case 2:
                EmitVoidCall();
                break;
            case 3:
                EmitOtherUse();
                break;
            case 4 or 5:
                EmitChoice(() => EmitStatement(depth - 1), () => EmitStatement(depth - 1));
                break;
            case 6:
                EmitLoop(depth);
                break;
            default:
                EmitProtected(depth);
                break;
        }
    }

    private void EmitNumber(int depth)
    {
        switch (random.Next(depth > 0 ? 9 : 3))
        {
            case 0:
                il.Emit(random.Next(2) == 0 ? OpCodes.Ldarg_0 : OpCodes.Ldarg_1);
                break;
            case 1:
                il.Emit(OpCodes.Ldloc, numbers[random.Next(numbers.Length)]);
                break;
            case 2:
                il.Emit(OpCodes.Ldc_I4, random.Next(-3, 300));
                il.Emit(OpCodes.Conv_I8);
                break;
            case 3:
                EmitNumber(depth - 1);
                EmitNumber(depth - 1);
                il.Emit(random.Next(3) switch { 0 => OpCodes.Add, 1 => OpCodes.Sub, _ => OpCodes.Xor });
                break;
            case 4:
                EmitChoice(() => EmitNumber(depth - 1), () => EmitNumber(depth - 1));
                break;
            case 5:
                EmitConstantCall(depth);
                break;
            case 6:
                EmitBinaryCall(depth);
                break;
            default:
                EmitUnaryCall(depth);
                break;
        }
    }

    private void EmitConstantCall(int depth)
    {
        if (random.Next(2) == 0)
        {
            EmitPointer("MinusOne");
            EmitCall("MinusOne");
            return;
        }

        EmitNumber(depth - 1);
        EmitPointer("Seven");
        EmitCall("Seven");
        il.Emit(OpCodes.Conv_I8);
    }

    private void EmitBinaryCall(int depth)
    {
        bool before = random.Next(2) == 0;
        VariableDefinition pointer = Local(Slot("Add").FieldType);
        if (before)
        {
            EmitPointer("Add");
            il.Emit(OpCodes.Stloc, pointer);
        }

        EmitNumber(depth - 1);
        EmitNumber(depth - 1);
        if (before)
            il.Emit(OpCodes.Ldloc, pointer);
        else
            EmitPointer("Add");
        EmitCall("Add");
    }

    private void EmitUnaryCall(int depth)
    {
        string op = UnaryOps[random.Next(UnaryOps.Length)];
        VariableDefinition pointer = Local(Slot(op).FieldType);
        switch (random.Next(6))
        {
            case 0: // into a local variable before the argument, as compilers do
                EmitPointer(op);
                il.Emit(OpCodes.Stloc, pointer);
                EmitNumber(depth - 1);
                il.Emit(OpCodes.Ldloc, pointer);
                break;
            case 1: // copied: called now and once more
                EmitNumber(depth - 1);
                EmitPointer(op);
                il.Emit(OpCodes.Dup);
                il.Emit(OpCodes.Stloc, pointer);
                EmitCall(op);
                il.Emit(OpCodes.Ldloc, pointer);
                break;
            case 2: // from two branches, often of the same op
                EmitNumber(depth - 1);
                EmitChoice(() => EmitPointer(op), () => EmitPointer(random.Next(2) == 0 ? op : "Negate"));
                break;
            case 3 when held.TryGetValue(op, out VariableDefinition? kept):
                EmitNumber(depth - 1);
                il.Emit(OpCodes.Ldloc, kept);
                break;
            case 4: // two copies of one pointer on the stack, one of them dropped
                EmitNumber(depth - 1);
                EmitPointer(op);
                il.Emit(OpCodes.Dup);
                il.Emit(OpCodes.Pop);
                break;
            default:
                EmitNumber(depth - 1);
                EmitPointer(op);
                break;
        }

        EmitCall(op);
    }

    private void EmitVoidCall()
    {
        VariableDefinition number = numbers[random.Next(numbers.Length)];
        string op = random.Next(2) == 0 ? "Bump" : "Nothing";
        il.Emit(OpCodes.Ldloca, number);
        il.Emit(OpCodes.Conv_U);
        if (op is "Nothing")
            EmitNumber(2);
        EmitPointer(op);
        EmitCall(op);
    }

    /// <summary>A slot's value dropped or compared, which is no call.</summary>
    private void EmitOtherUse()
    {
        EmitPointer(UnaryOps[random.Next(UnaryOps.Length)]);
        if (random.Next(2) == 0)
        {
            il.Emit(OpCodes.Pop);
            return;
        }

        Instruction next = il.Create(OpCodes.Nop);
        il.Emit(OpCodes.Brtrue, next);
        il.Append(next);
    }

    private void EmitPointer(string op)
    {
        FieldDefinition slot = Slot(op);
        FieldDefinition table = TableOf(op);
        bool isMath = table.Name is "Math" && method.Body.Instructions.Count > 2;
        switch (random.Next(isMath ? 7 : 5))
        {
            case 0:
                il.Emit(OpCodes.Ldsfld, table);
                il.Emit(OpCodes.Ldfld, slot);
                break;
            case 1:
                il.Emit(OpCodes.Ldsflda, table);
                il.Emit(OpCodes.Ldflda, slot);
                il.Emit(OpCodes.Ldind_I);
                break;
            case 2:
                il.Emit(OpCodes.Ldsflda, table);
                il.Emit(OpCodes.Dup);
                il.Emit(OpCodes.Ldfld, slot);
                VariableDefinition local = Local(slot.FieldType);
                il.Emit(OpCodes.Stloc, local);
                il.Emit(OpCodes.Pop);
                il.Emit(OpCodes.Ldloc, local);
                break;
            case 5:
                il.Emit(OpCodes.Ldloc, tableRef);
                il.Emit(OpCodes.Ldfld, slot);
                break;
            case 6:
                il.Emit(OpCodes.Ldloc, tableRef);
                il.Emit(OpCodes.Volatile);
                il.Emit(OpCodes.Ldfld, slot);
                il.Emit(OpCodes.Conv_I);
                break;
            default:
                il.Emit(OpCodes.Ldsflda, table);
                il.Emit(OpCodes.Ldfld, slot);
                break;
        }
    }

    private void EmitCall(string op)
    {
        var pointer = (FunctionPointerType)Slot(op).FieldType;
        var site = new CallSite(pointer.ReturnType) { CallingConvention = pointer.CallingConvention };
        foreach (ParameterDefinition parameter in pointer.Parameters)
            site.Parameters.Add(new ParameterDefinition(parameter.ParameterType));
        il.Emit(OpCodes.Calli, site);
    }

    private void EmitChoice(Action first, Action second)
    {
        Instruction other = il.Create(OpCodes.Nop), end = il.Create(OpCodes.Nop);
        EmitNumber(0);
        il.Emit(OpCodes.Ldc_I4, random.Next(1, 9));
        il.Emit(OpCodes.Conv_I8);
        if (random.Next(4) == 0)
        {
            il.Emit(OpCodes.Rem);
            il.Emit(OpCodes.Conv_I4);
            il.Emit(OpCodes.Switch, [other, other]);
        }
        else
        {
            il.Emit(OpCodes.Bgt, other);
        }

        first();
        il.Emit(OpCodes.Br, end);
        il.Append(other);
        second();
        il.Append(end);
    }

    private void EmitLoop(int depth)
    {
        VariableDefinition counter = Local(module.TypeSystem.Int32);
        Instruction head = il.Create(OpCodes.Nop);
        il.Emit(OpCodes.Ldc_I4, random.Next(1, 4));
        il.Emit(OpCodes.Stloc, counter);
        il.Append(head);
        EmitStatement(depth - 1);
        il.Emit(OpCodes.Ldloc, counter);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Stloc, counter);
        il.Emit(OpCodes.Brtrue, head);
    }

    private void EmitProtected(int depth)
    {
        Instruction start = il.Create(OpCodes.Nop), handler = il.Create(OpCodes.Nop), end = il.Create(OpCodes.Nop);
        bool isFinally = random.Next(2) == 0;
        il.Append(start);
        EmitStatement(depth - 1);
        if (!isFinally)
        {
            Instruction noThrow = il.Create(OpCodes.Nop);
            EmitNumber(1);
            il.Emit(OpCodes.Ldc_I4_0);
            il.Emit(OpCodes.Conv_I8);
            il.Emit(OpCodes.Blt, noThrow);
            il.Emit(OpCodes.Ldnull);
            il.Emit(OpCodes.Throw);
            il.Append(noThrow);
        }

        EmitStatement(depth - 1);
        il.Emit(OpCodes.Leave, end);
        il.Append(handler);
        if (!isFinally)
            il.Emit(OpCodes.Pop);
        EmitStatement(depth - 1);
        il.Append(isFinally ? il.Create(OpCodes.Endfinally) : il.Create(OpCodes.Leave, end));
        il.Append(end);
        method.Body.ExceptionHandlers.Add(new ExceptionHandler(isFinally ? ExceptionHandlerType.Finally : ExceptionHandlerType.Catch)
        {
            TryStart = start,
            TryEnd = handler,
            HandlerStart = handler,
            HandlerEnd = end,
            CatchType = isFinally ? null : module.TypeSystem.Object,
        });
    }

    private VariableDefinition Local(TypeReference type)
    {
        var local = new VariableDefinition(type);
        method.Body.Variables.Add(local);
        return local;
    }

    private FieldDefinition Field(string name) => tables.Fields.Single(f => f.Name.Equals(name, StringComparison.Ordinal));

    private FieldDefinition TableOf(string op) => op is "Add" or "Negate" or "Bump" ? Field("Math") : Field("Small");

    private FieldDefinition Slot(string op) => TableOf(op).FieldType.Resolve().Fields.Single(f => f.Name.Equals(op, StringComparison.Ordinal));
}
