using System.Globalization;
using System.Reflection;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Parameters;
using BenchmarkDotNet.Running;

namespace PvPatch.Perf.Measuring;

/// <summary>One benchmark with one set of parameters, as BenchmarkDotNet's attributes declare it.</summary>
/// <param name="benchmark">What BenchmarkDotNet found.</param>
internal sealed class LabRow(BenchmarkCase benchmark)
{
    private readonly Descriptor _descriptor = benchmark.Descriptor;

    /// <summary>Its class.</summary>
    public Type Type => _descriptor.Type;

    /// <summary>The method that is measured.</summary>
    public MethodInfo Method => _descriptor.WorkloadMethod;

    /// <summary>What is compared: the class and the parameters.</summary>
    public string Family => Type.Name + ParametersText;

    /// <summary>Its full name.</summary>
    public string Name => $"{Type.Name}.{Method.Name}{ParametersText}";

    /// <summary>The class and the method.</summary>
    public string Series => $"{Type.Name}.{Method.Name}";

    /// <summary>Its name for people: the attribute's description, or the method's name.</summary>
    public string Title => Method.GetCustomAttribute<BenchmarkAttribute>()?.Description ?? Method.Name;

    /// <summary>Whether the family is compared with it.</summary>
    public bool IsBaseline => _descriptor.Baseline;

    /// <summary>Operations that one call makes.</summary>
    public int Operations => _descriptor.OperationsPerInvoke;

    /// <summary>What is called once before.</summary>
    public MethodInfo? GlobalSetup => _descriptor.GlobalSetupMethod;

    /// <summary>What is called once after.</summary>
    public MethodInfo? GlobalCleanup => _descriptor.GlobalCleanupMethod;

    /// <summary>What is called before each sample, which is one call then.</summary>
    public MethodInfo? IterationSetup => _descriptor.IterationSetupMethod;

    /// <summary>What is called after each sample.</summary>
    public MethodInfo? IterationCleanup => _descriptor.IterationCleanupMethod;

    /// <summary>Whether the benchmark wants arguments, which the lab does not give.</summary>
    public bool HasArguments => benchmark.Parameters.Items.Any(item => item.IsArgument);

    /// <summary>A parameter as a whole number; null if there is none.</summary>
    /// <param name="parameter">Its name.</param>
    public long? Size(string parameter) => Value(parameter) is IConvertible value ? value.ToInt64(CultureInfo.InvariantCulture) : null;

    /// <summary>Whether a run measures it that is not told to.</summary>
    /// <param name="mode">A quick run leaves out what takes long.</param>
    public bool IsIn(LabMode mode) =>
        mode != LabMode.Quick
        || ((Type.GetCustomAttribute<GrowthAttribute>() is not { } growth || Size(growth.Parameter) <= growth.QuickUpTo)
            && (Type.GetCustomAttribute<QuickValuesAttribute>() is not { } quick || quick.Values.Contains($"{Value(quick.Parameter)}", StringComparer.Ordinal)));

    /// <summary>An object with the parameters set.</summary>
    public object CreateInstance()
    {
        object instance = Activator.CreateInstance(Type)!;
        foreach (ParameterInstance item in benchmark.Parameters.Items)
        {
            const BindingFlags Any = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static;
            if (Type.GetProperty(item.Name, Any) is { } property)
                property.SetValue(instance, item.Value);
            else
                Type.GetField(item.Name, Any)!.SetValue(instance, item.Value);
        }

        return instance;
    }

    private object? Value(string parameter) => benchmark.Parameters.Items.FirstOrDefault(item => item.Name == parameter)?.Value;

    private string ParametersText => benchmark.Parameters.Items is []
        ? ""
        : $"({string.Join(", ", benchmark.Parameters.Items.Select(item => string.Create(CultureInfo.InvariantCulture, $"{item.Name}: {item.Value}")))})";
}

/// <summary>Rows of a class with the same parameters, measured in turn.</summary>
/// <param name="Name">The class with the parameters.</param>
/// <param name="Rows">At least one.</param>
internal sealed record RowFamily(string Name, IReadOnlyList<LabRow> Rows)
{
    private LaunchesAttribute? Declared => Rows[0].Type.GetCustomAttribute<LaunchesAttribute>();

    /// <summary>How many processes measure it.</summary>
    /// <param name="mode">How long the lab takes.</param>
    public int Launches(LabMode mode) => Declared is { } declared ? Math.Min(mode.Launches, declared.Most) : mode.Launches;

    /// <summary>How long all of them take for it on a quiet machine, about.</summary>
    /// <param name="mode">How long the lab takes.</param>
    public TimeSpan Expected(LabMode mode) => TimeSpan.FromSeconds(Launches(mode) * Math.Max(mode.UsualFamilySeconds, (mode == LabMode.Quick ? Declared?.QuickSeconds : Declared?.Seconds) ?? 0));
}
