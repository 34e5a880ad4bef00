using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace PvPatch.Engine.Tests.PatchedCalls;

/// <summary>Adds methods of random but valid IL to a copy of the fixtures: calls through slots in every shape, between branches, loops and handlers.</summary>
internal sealed class RandomMethods
{
    private static readonly string[] UnaryOps = ["Negate", "Same", "Huge", "Clamp", "InObject", "InArray", "Managed"];

    private readonly Random _random;
    private readonly ModuleDefinition _module;
    private readonly TypeDefinition _tables;
    private readonly TypeDefinition _slots;
    private readonly TypeReference _int64;
    private MethodDefinition _method = null!;
    private ILProcessor _il = null!;
    private VariableDefinition[] _numbers = null!;
    private VariableDefinition _tableRef = null!;
    private Dictionary<string, VariableDefinition> _held = null!;

    private RandomMethods(ModuleDefinition module, int seed)
    {
        _random = new Random(seed);
        _module = module;
        _tables = module.GetType("PvPatch.Engine.Fixtures.Pv");
        _slots = module.GetType("PvPatch.Engine.Fixtures.PvSlots");
        _int64 = module.TypeSystem.Int64;
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
        _method = new MethodDefinition(name, MethodAttributes.Public | MethodAttributes.Static | MethodAttributes.HideBySig, _int64);
        _method.Parameters.Add(new ParameterDefinition(_int64));
        _method.Parameters.Add(new ParameterDefinition(_int64));
        _method.Body.InitLocals = true;
        _il = _method.Body.GetILProcessor();
        _numbers = [.. Enumerable.Range(0, 4).Select(_ => Local(_int64))];
        _held = new Dictionary<string, VariableDefinition>(StringComparer.Ordinal);
        _tableRef = Local(new ByReferenceType(Field("Math").FieldType));

        _il.Emit(OpCodes.Ldsflda, Field("Math"));
        _il.Emit(OpCodes.Stloc, _tableRef);
        if (_random.Next(2) == 0)
        {
            foreach (string op in UnaryOps)
            {
                VariableDefinition local = Local(PointerType(op));
                EmitPointer(op);
                _il.Emit(OpCodes.Stloc, local);
                _held[op] = local;
            }
        }

        for (int statements = _random.Next(2, 6); statements > 0; statements--)
            EmitStatement(3);
        _il.Emit(OpCodes.Ldloc, _numbers[0]);
        foreach (VariableDefinition number in _numbers[1..])
        {
            _il.Emit(OpCodes.Ldc_I4, 31);
            _il.Emit(OpCodes.Conv_I8);
            _il.Emit(OpCodes.Mul);
            _il.Emit(OpCodes.Ldloc, number);
            _il.Emit(OpCodes.Xor);
        }

        _il.Emit(OpCodes.Ret);
        if (_random.Next(2) == 0)
            _method.Body.OptimizeMacros();
        return _method;
    }

    private void EmitStatement(int depth)
    {
        switch (_random.Next(depth > 0 ? 9 : 4))
        {
            case 0 or 1:
                EmitNumber(3);
                _il.Emit(OpCodes.Stloc, _numbers[_random.Next(_numbers.Length)]);
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
        switch (_random.Next(depth > 0 ? 9 : 3))
        {
            case 0:
                _il.Emit(_random.Next(2) == 0 ? OpCodes.Ldarg_0 : OpCodes.Ldarg_1);
                break;
            case 1:
                _il.Emit(OpCodes.Ldloc, _numbers[_random.Next(_numbers.Length)]);
                break;
            case 2:
                _il.Emit(OpCodes.Ldc_I4, _random.Next(-3, 300));
                _il.Emit(OpCodes.Conv_I8);
                break;
            case 3:
                EmitNumber(depth - 1);
                EmitNumber(depth - 1);
                _il.Emit(_random.Next(3) switch { 0 => OpCodes.Add, 1 => OpCodes.Sub, _ => OpCodes.Xor });
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
        if (_random.Next(2) == 0)
        {
            EmitPointer("MinusOne");
            EmitCall("MinusOne");
            return;
        }

        EmitNumber(depth - 1);
        EmitPointer("Seven");
        EmitCall("Seven");
        _il.Emit(OpCodes.Conv_I8);
    }

    private void EmitBinaryCall(int depth)
    {
        bool before = _random.Next(2) == 0;
        VariableDefinition pointer = Local(Slot("Add").FieldType);
        if (before)
        {
            EmitPointer("Add");
            _il.Emit(OpCodes.Stloc, pointer);
        }

        EmitNumber(depth - 1);
        EmitNumber(depth - 1);
        if (before)
            _il.Emit(OpCodes.Ldloc, pointer);
        else
            EmitPointer("Add");
        EmitCall("Add");
    }

    private void EmitUnaryCall(int depth)
    {
        string op = UnaryOps[_random.Next(UnaryOps.Length)];
        VariableDefinition pointer = Local(PointerType(op));
        switch (_random.Next(6))
        {
            case 0: // into a local variable before the argument, as compilers do
                EmitPointer(op);
                _il.Emit(OpCodes.Stloc, pointer);
                EmitNumber(depth - 1);
                _il.Emit(OpCodes.Ldloc, pointer);
                break;
            case 1: // copied: called now and once more
                EmitNumber(depth - 1);
                EmitPointer(op);
                _il.Emit(OpCodes.Dup);
                _il.Emit(OpCodes.Stloc, pointer);
                EmitCall(op);
                _il.Emit(OpCodes.Ldloc, pointer);
                break;
            case 2: // from two branches, often of the same op
                EmitNumber(depth - 1);
                EmitChoice(() => EmitPointer(op), () => EmitPointer(op is "Managed" || _random.Next(2) == 0 ? op : "Negate"));
                break;
            case 3 when _held.TryGetValue(op, out VariableDefinition? kept):
                EmitNumber(depth - 1);
                _il.Emit(OpCodes.Ldloc, kept);
                break;
            case 4: // two copies of one pointer on the stack, one of them dropped
                EmitNumber(depth - 1);
                EmitPointer(op);
                _il.Emit(OpCodes.Dup);
                _il.Emit(OpCodes.Pop);
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
        VariableDefinition number = _numbers[_random.Next(_numbers.Length)];
        string op = _random.Next(2) == 0 ? "Bump" : "Nothing";
        _il.Emit(OpCodes.Ldloca, number);
        _il.Emit(OpCodes.Conv_U);
        if (op is "Nothing")
            EmitNumber(2);
        EmitPointer(op);
        EmitCall(op);
    }

    /// <summary>A slot's value dropped or compared, which is no call.</summary>
    private void EmitOtherUse()
    {
        EmitPointer(UnaryOps[_random.Next(UnaryOps.Length)]);
        if (_random.Next(2) == 0)
        {
            _il.Emit(OpCodes.Pop);
            return;
        }

        Instruction next = _il.Create(OpCodes.Nop);
        _il.Emit(OpCodes.Brtrue, next);
        _il.Append(next);
    }

    private void EmitPointer(string op)
    {
        if (op is "InObject" or "InArray" or "Managed")
        {
            EmitOtherPointer(op);
            return;
        }

        FieldDefinition slot = Slot(op);
        FieldDefinition table = TableOf(op);
        bool isMath = table.Name is "Math" && _method.Body.Instructions.Count > 2;
        switch (_random.Next(isMath ? 7 : 5))
        {
            case 0:
                _il.Emit(OpCodes.Ldsfld, table);
                _il.Emit(OpCodes.Ldfld, slot);
                break;
            case 1:
                _il.Emit(OpCodes.Ldsflda, table);
                _il.Emit(OpCodes.Ldflda, slot);
                _il.Emit(OpCodes.Ldind_I);
                break;
            case 2:
                _il.Emit(OpCodes.Ldsflda, table);
                _il.Emit(OpCodes.Dup);
                _il.Emit(OpCodes.Ldfld, slot);
                VariableDefinition local = Local(slot.FieldType);
                _il.Emit(OpCodes.Stloc, local);
                _il.Emit(OpCodes.Pop);
                _il.Emit(OpCodes.Ldloc, local);
                break;
            case 5:
                _il.Emit(OpCodes.Ldloc, _tableRef);
                _il.Emit(OpCodes.Ldfld, slot);
                break;
            case 6:
                _il.Emit(OpCodes.Ldloc, _tableRef);
                _il.Emit(OpCodes.Volatile);
                _il.Emit(OpCodes.Ldfld, slot);
                _il.Emit(OpCodes.Conv_I);
                break;
            default:
                _il.Emit(OpCodes.Ldsflda, table);
                _il.Emit(OpCodes.Ldfld, slot);
                break;
        }
    }

    /// <summary>The slot of an object, by field or getter; of an array, by value or address; a managed one.</summary>
    private void EmitOtherPointer(string op)
    {
        bool other = _random.Next(2) == 0;
        switch (op)
        {
            case "InObject":
                if (other)
                    _il.Emit(OpCodes.Call, _slots.Methods.Single(m => m.Name is "get_Instance"));
                else
                    _il.Emit(OpCodes.Ldsfld, SlotField("Object"));
                if (_random.Next(3) == 0)
                {
                    _il.Emit(OpCodes.Dup);
                    _il.Emit(OpCodes.Pop);
                }

                _il.Emit(OpCodes.Ldfld, SlotField("Object").FieldType.Resolve().Fields.Single(f => f.Name is "Negate"));
                break;
            case "InArray":
                _il.Emit(OpCodes.Ldsfld, SlotField("Array"));
                if (_random.Next(3) == 0)
                    EmitChoice(() => _il.Emit(OpCodes.Ldc_I4_3), () => _il.Emit(OpCodes.Ldc_I4, other ? 3 : 0));
                else
                    _il.Emit(OpCodes.Ldc_I4, other ? 0 : 3);
                if (_random.Next(2) == 0)
                {
                    _il.Emit(OpCodes.Ldelem_I);
                    break;
                }

                _il.Emit(OpCodes.Ldelema, _module.TypeSystem.IntPtr);
                _il.Emit(OpCodes.Ldind_I);
                break;
            default:
                _il.Emit(OpCodes.Ldsfld, SlotField("ManagedNegate"));
                break;
        }
    }

    private FieldDefinition SlotField(string name) => _slots.Fields.Single(f => f.Name.Equals(name, StringComparison.Ordinal));

    private TypeReference PointerType(string op) => op switch
    {
        "InObject" => SlotField("Object").FieldType.Resolve().Fields.Single(f => f.Name is "Negate").FieldType,
        "InArray" => ((ArrayType)SlotField("Array").FieldType).ElementType,
        "Managed" => SlotField("ManagedNegate").FieldType,
        _ => Slot(op).FieldType,
    };

    private void EmitCall(string op)
    {
        var pointer = (FunctionPointerType)PointerType(op);
        var site = new CallSite(pointer.ReturnType) { CallingConvention = pointer.CallingConvention };
        foreach (ParameterDefinition parameter in pointer.Parameters)
            site.Parameters.Add(new ParameterDefinition(parameter.ParameterType));
        _il.Emit(OpCodes.Calli, site);
    }

    private void EmitChoice(Action first, Action second)
    {
        Instruction other = _il.Create(OpCodes.Nop), end = _il.Create(OpCodes.Nop);
        EmitNumber(0);
        _il.Emit(OpCodes.Ldc_I4, _random.Next(1, 9));
        _il.Emit(OpCodes.Conv_I8);
        if (_random.Next(4) == 0)
        {
            _il.Emit(OpCodes.Rem);
            _il.Emit(OpCodes.Conv_I4);
            _il.Emit(OpCodes.Switch, [other, other]);
        }
        else
        {
            _il.Emit(OpCodes.Bgt, other);
        }

        first();
        _il.Emit(OpCodes.Br, end);
        _il.Append(other);
        second();
        _il.Append(end);
    }

    private void EmitLoop(int depth)
    {
        VariableDefinition counter = Local(_module.TypeSystem.Int32);
        Instruction head = _il.Create(OpCodes.Nop);
        _il.Emit(OpCodes.Ldc_I4, _random.Next(1, 4));
        _il.Emit(OpCodes.Stloc, counter);
        _il.Append(head);
        EmitStatement(depth - 1);
        _il.Emit(OpCodes.Ldloc, counter);
        _il.Emit(OpCodes.Ldc_I4_1);
        _il.Emit(OpCodes.Sub);
        _il.Emit(OpCodes.Dup);
        _il.Emit(OpCodes.Stloc, counter);
        _il.Emit(OpCodes.Brtrue, head);
    }

    private void EmitProtected(int depth)
    {
        Instruction start = _il.Create(OpCodes.Nop), handler = _il.Create(OpCodes.Nop), end = _il.Create(OpCodes.Nop);
        bool isFinally = _random.Next(2) == 0;
        _il.Append(start);
        EmitStatement(depth - 1);
        if (!isFinally)
        {
            Instruction noThrow = _il.Create(OpCodes.Nop);
            EmitNumber(1);
            _il.Emit(OpCodes.Ldc_I4_0);
            _il.Emit(OpCodes.Conv_I8);
            _il.Emit(OpCodes.Blt, noThrow);
            _il.Emit(OpCodes.Ldnull);
            _il.Emit(OpCodes.Throw);
            _il.Append(noThrow);
        }

        EmitStatement(depth - 1);
        _il.Emit(OpCodes.Leave, end);
        _il.Append(handler);
        if (!isFinally)
            _il.Emit(OpCodes.Pop);
        EmitStatement(depth - 1);
        _il.Append(isFinally ? _il.Create(OpCodes.Endfinally) : _il.Create(OpCodes.Leave, end));
        _il.Append(end);
        _method.Body.ExceptionHandlers.Add(new ExceptionHandler(isFinally ? ExceptionHandlerType.Finally : ExceptionHandlerType.Catch)
        {
            TryStart = start,
            TryEnd = handler,
            HandlerStart = handler,
            HandlerEnd = end,
            CatchType = isFinally ? null : _module.TypeSystem.Object,
        });
    }

    private VariableDefinition Local(TypeReference type)
    {
        var local = new VariableDefinition(type);
        _method.Body.Variables.Add(local);
        return local;
    }

    private FieldDefinition Field(string name) => _tables.Fields.Single(f => f.Name.Equals(name, StringComparison.Ordinal));

    private FieldDefinition TableOf(string op) => op is "Add" or "Negate" or "Bump" ? Field("Math") : op is "Clamp" ? Field("Inline") : Field("Small");

    private FieldDefinition Slot(string op) => TableOf(op).FieldType.Resolve().Fields.Single(f => f.Name.Equals(op, StringComparison.Ordinal));
}
