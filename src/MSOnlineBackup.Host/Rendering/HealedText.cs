namespace MSOnlineBackup.Host.Rendering;

/// <summary>What was had though it is damaged where it lies, for people.</summary>
internal static class HealedText
{
    /// <summary>A line of its own under a summary, its label as wide as the others' there; nothing where nothing was met.</summary>
    public static string Line(long fromCopies, long fromParity, int labelWidth) => fromCopies + fromParity == 0
        ? ""
        : $"\n{"healed".PadRight(labelWidth)}{Quantity.Count(fromParity, "chunk")} reconstructed from parity, {fromCopies} read from another copy; a repair is due: obengine repair --recorded-only";
}
