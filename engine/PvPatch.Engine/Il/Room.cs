namespace PvPatch.Engine.Il;

/// <summary>Arrays that are used for one method after another, and grow to the largest.</summary>
internal static class Room
{
    /// <summary>Makes an array long enough; what it holds stays.</summary>
    /// <param name="array">The array.</param>
    /// <param name="count">How many elements it must have.</param>
    public static void For<T>(ref T[] array, int count)
    {
        if (count <= array.Length)
            return;
        var longer = new T[Math.Max(count, 2 * array.Length)]; // Array.Resize of a struct of our own would be compiled when a program starts
        Array.Copy(array, longer, array.Length);
        array = longer;
    }

    /// <summary>Makes an array long enough and its first elements empty.</summary>
    /// <param name="array">The array.</param>
    /// <param name="count">How many elements it must have.</param>
    public static void ForEmpty<T>(ref T[] array, int count)
    {
        if (count <= array.Length)
            Array.Clear(array, 0, count);
        else
            array = new T[Math.Max(count, 2 * array.Length)];
    }
}
