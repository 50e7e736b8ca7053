namespace MSOnlineBackup.Agent.Installation;

/// <summary>What an update of the module, or going back, changes.</summary>
/// <param name="OldVersion">The version that was in use.</param>
/// <param name="NewVersion">The version that is in use then.</param>
/// <param name="Folder">The folder of that version.</param>
/// <param name="PreviousFolder">Where the version lies that one can go back to; null where there is none.</param>
public sealed record ModuleChange(string OldVersion, string NewVersion, string Folder, string? PreviousFolder)
{
    /// <summary>Whether anything is changed.</summary>
    public bool IsChange => OldVersion != NewVersion;

    /// <summary>Folders of higher versions, side by side, that are set aside in the end: the highest version is the one that is used.</summary>
    internal IReadOnlyList<string> SetAside { get; init; } = [];
}
