namespace MSOnlineBackup.Testing;

/// <summary>A block device that is a file. Needs root on Linux.</summary>
public sealed class LoopDevice : IDisposable
{
    /// <summary>Makes one of a file that is there.</summary>
    /// <param name="image">The file.</param>
    /// <param name="options">Of losetup, for example <c>-r</c>.</param>
    public LoopDevice(string image, params string[] options) => Path = Shell.RunChecked("losetup", [.. options, "--find", "--show", image]).Trim();

    /// <summary>Whether this machine has any.</summary>
    public static bool CanMake => Shell.IsLinuxRoot && Shell.Run("losetup", "--find").ExitCode == 0;

    /// <summary>Its path, as <c>/dev/loop7</c>.</summary>
    public string Path { get; }

    public void Dispose() => Shell.RunChecked("losetup", "--detach", Path);
}
