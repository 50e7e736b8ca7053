namespace MSOnlineBackup;

/// <summary>A source whose path has changed.</summary>
public sealed class OBVolume
{
    /// <summary>The path under which the policies knew it.</summary>
    public string OldVolumeName { get; internal init; } = "";

    /// <summary>The path under which they know it now.</summary>
    public string NewVolumeName { get; internal init; } = "";
}
