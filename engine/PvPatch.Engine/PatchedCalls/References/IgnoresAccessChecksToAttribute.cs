namespace System.Runtime.CompilerServices;

/// <summary>
/// On an assembly: what another one keeps to itself may be named here. The runtime knows it by its name and the libraries
/// do not define it (dotnet/runtime, src/coreclr/vm/friendassembly.cpp). Images get it that call internal targets.
/// </summary>
/// <param name="assemblyName">Simple name of the other one.</param>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class IgnoresAccessChecksToAttribute(string assemblyName) : Attribute
{
    /// <summary>Simple name of the assembly whose members may be named.</summary>
    public string AssemblyName { get; } = assemblyName;
}
