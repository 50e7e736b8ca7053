namespace MSOnlineBackup.Testing;

/// <summary>The <c>zstd</c> program: somebody else's reading of the format.</summary>
public static class ZstandardProgram
{
    /// <summary>Why tests that need it are skipped without.</summary>
    public const string Missing = "The zstd program is not on the path.";

    /// <summary>Whether it is there.</summary>
    public static bool IsThere { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, "zstd")));

    /// <summary>What a frame holds; null where the program refuses it.</summary>
    public static byte[]? TryDecode(ReadOnlySpan<byte> frame)
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["frame.zst"], frame);
        return Shell.Run("zstd", "-d", "-q", folder["frame.zst"], "-o", folder["content"]).ExitCode == 0 ? File.ReadAllBytes(folder["content"]) : null;
    }
}
