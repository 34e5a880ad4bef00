using System.Reflection;
using System.Runtime.CompilerServices;

namespace PvPatch.Perf.Measuring;

/// <summary>Calls a benchmark so many times. Its result is kept, so that nothing is left out as useless; a task is waited for.</summary>
internal static class Invocation
{
    /// <summary>A loop around a benchmark.</summary>
    /// <param name="instance">Its object.</param>
    /// <param name="method">Its method, without parameters.</param>
    public static Action<long> Of(object instance, MethodInfo method)
    {
        Type result = method.ReturnType;
        string loop = result == typeof(void) ? nameof(Void)
            : result.IsAssignableTo(typeof(Task)) ? nameof(OfTask)
            : result == typeof(ValueTask) ? nameof(OfValueTask)
            : result.IsByRef || result.IsPointer || result.IsByRefLike ? nameof(Reflected)
            : nameof(OfResult);
        MethodInfo of = typeof(Invocation).GetMethod(loop, BindingFlags.Static | BindingFlags.NonPublic)!;
        return of.IsGenericMethodDefinition
            ? of.MakeGenericMethod(result).CreateDelegate<Func<object, MethodInfo, Action<long>>>()(instance, method)
            : of.CreateDelegate<Func<object, MethodInfo, Action<long>>>()(instance, method);
    }

    private static Action<long> Void(object instance, MethodInfo method)
    {
        Action call = Bind<Action>(instance, method);
        return [MethodImpl(MethodImplOptions.AggressiveOptimization)] (count) =>
        {
            for (; count > 0; count--)
                call();
        };
    }

    private static Action<long> OfResult<T>(object instance, MethodInfo method)
    {
        Func<T> call = Bind<Func<T>>(instance, method);
        return [MethodImpl(MethodImplOptions.AggressiveOptimization)] (count) =>
        {
            for (; count > 0; count--)
                Kept<T>.Result = call();
        };
    }

    private static Action<long> OfTask(object instance, MethodInfo method)
    {
        Func<Task> call = Bind<Func<Task>>(instance, method);
        return count =>
        {
            for (; count > 0; count--)
                call().GetAwaiter().GetResult();
        };
    }

    private static Action<long> OfValueTask(object instance, MethodInfo method)
    {
        Func<ValueTask> call = Bind<Func<ValueTask>>(instance, method);
        return count =>
        {
            for (; count > 0; count--)
                call().AsTask().GetAwaiter().GetResult();
        };
    }

    private static Action<long> Reflected(object instance, MethodInfo method) =>
        throw new NotSupportedException($"a benchmark can't return {method.ReturnType}");

    private static T Bind<T>(object instance, MethodInfo method)
        where T : Delegate =>
        method.IsStatic ? method.CreateDelegate<T>() : method.CreateDelegate<T>(instance);

    private static class Kept<T>
    {
        public static T? Result;
    }
}
