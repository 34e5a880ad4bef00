using PvPatch.Engine.Extension;

namespace PvPatch.Engine.PatchedCalls.References;

/// <summary>Writes types as signatures hold them (ECMA-335, partition II, 23.2.12).</summary>
/// <param name="output">Where to.</param>
/// <param name="codeOf">The row of a type in the module, coded as <c>TypeDefOrRef</c>.</param>
internal sealed class TypeSignatures(List<byte> output, Func<Type, uint> codeOf)
{
    private const byte Ptr = 0x0F, ByRef = 0x10, ValueType = 0x11, Class = 0x12, Var = 0x13, Array = 0x14, GenericInst = 0x15,
        FnPtr = 0x1B, SzArray = 0x1D, MVar = 0x1E, Unmanaged = 0x09; // 23.1.16 and 23.2.1

    private static readonly Dictionary<Type, byte> Primitives = new (Type Type, byte Code)[]
    {
        (typeof(void), 0x01), (typeof(bool), 0x02), (typeof(char), 0x03), (typeof(sbyte), 0x04), (typeof(byte), 0x05), (typeof(short), 0x06),
        (typeof(ushort), 0x07), (typeof(int), 0x08), (typeof(uint), 0x09), (typeof(long), 0x0A), (typeof(ulong), 0x0B), (typeof(float), 0x0C),
        (typeof(double), 0x0D), (typeof(string), 0x0E), (typeof(TypedReference), 0x16), (typeof(nint), 0x18), (typeof(nuint), 0x19), (typeof(object), 0x1C),
    }.ToDictionary(p => p.Type, p => p.Code);

    /// <summary>Appends a type.</summary>
    public void Add(Type type)
    {
        if (Primitives.TryGetValue(type, out byte primitive))
            output.Add(primitive);
        else if (type.IsArray && !type.IsSZArray)
            AddArray(type);
        else if (type.HasElementType)
            AddElement(type.IsPointer ? Ptr : type.IsByRef ? ByRef : SzArray, type.GetElementType()!);
        else if (type.IsFunctionPointer)
            AddFunctionPointer(type);
        else if (type.IsGenericParameter)
            AddNumbered(type.DeclaringMethod is null ? Var : MVar, type.GenericParameterPosition);
        else if (type.IsConstructedGenericType)
            AddGeneric(type);
        else
            AddNumbered(type.IsValueType ? ValueType : Class, (int)codeOf(type));
    }

    private void AddNumbered(byte kind, int number)
    {
        output.Add(kind);
        BlobBytes.AddCompressed(output, number);
    }

    private void AddElement(byte kind, Type element)
    {
        output.Add(kind);
        Add(element);
    }

    private void AddArray(Type type)
    {
        AddElement(Array, type.GetElementType()!);
        BlobBytes.AddCompressed(output, type.GetArrayRank());
        output.AddRange([0, 0]); // no sizes, no lower bounds
    }

    private void AddFunctionPointer(Type type)
    {
        Type[] parameters = type.GetFunctionPointerParameterTypes();
        output.AddRange([FnPtr, type.IsUnmanagedFunctionPointer ? Unmanaged : (byte)0]);
        BlobBytes.AddCompressed(output, parameters.Length);
        Add(type.GetFunctionPointerReturnType());
        foreach (Type parameter in parameters)
            Add(parameter);
    }

    private void AddGeneric(Type type)
    {
        Type[] arguments = type.GetGenericArguments();
        output.Add(GenericInst);
        Add(type.GetGenericTypeDefinition());
        BlobBytes.AddCompressed(output, arguments.Length);
        foreach (Type argument in arguments)
            Add(argument);
    }
}
