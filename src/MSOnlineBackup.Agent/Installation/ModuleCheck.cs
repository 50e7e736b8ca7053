namespace MSOnlineBackup.Agent.Installation;

/// <summary>How a file of the module stands.</summary>
public enum ModuleFileState
{
    /// <summary>It is as it was shipped.</summary>
    Sound,

    /// <summary>It is not there.</summary>
    Missing,

    /// <summary>Its bytes are not those that were shipped.</summary>
    Changed,

    /// <summary>It is there and cannot be read.</summary>
    Unreadable,

    /// <summary>It is code that was not shipped, in the folder from which code is loaded.</summary>
    Foreign,
}

/// <summary>A file of the module.</summary>
/// <param name="Path">Relative to the module's folder, with slashes.</param>
/// <param name="State">How it stands.</param>
public sealed record ModuleFile(string Path, ModuleFileState State);

/// <summary>The files of a module, compared with the list of hashes that was shipped with them.</summary>
/// <param name="Folder">The module's folder.</param>
/// <param name="Files">Each, in the order of their paths.</param>
public sealed record ModuleCheck(string Folder, IReadOnlyList<ModuleFile> Files)
{
    /// <summary>What is not as it was shipped.</summary>
    public IEnumerable<ModuleFile> Faults => Files.Where(file => file.State != ModuleFileState.Sound);

    /// <summary>Whether everything that was shipped is there and sound; what is there beside it does not count.</summary>
    public bool IsWhole => Files.All(file => file.State is ModuleFileState.Sound or ModuleFileState.Foreign);
}
