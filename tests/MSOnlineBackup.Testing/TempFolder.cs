namespace MSOnlineBackup.Testing;

/// <summary>A folder of a test's own, removed with all it holds, whatever its modes.</summary>
public sealed class TempFolder : IDisposable
{
    /// <summary>Creates it, in the system's temporary folder or in <paramref name="parent"/>.</summary>
    public TempFolder(string? parent = null)
    {
        Path = parent is null
            ? Directory.CreateTempSubdirectory("msob-").FullName
            : Directory.CreateDirectory(System.IO.Path.Combine(parent, System.IO.Path.GetRandomFileName())).FullName;
    }

    /// <summary>Its absolute path.</summary>
    public string Path { get; }

    /// <summary>The path of something in it.</summary>
    public string this[params string[] parts] => System.IO.Path.Combine([Path, .. parts]);

    public void Dispose()
    {
        if (!Directory.Exists(Path))
        {
            return;
        }

        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception e) when ((e is IOException or UnauthorizedAccessException) && !OperatingSystem.IsWindows())
        {
            // Names that are no UTF-8 cannot be told to .NET, and modes may forbid listing: rm knows both.
            Shell.Run("chmod", "-R", "u+rwX", Path);
            Shell.Run("rm", "-rf", Path);
        }
    }
}
