namespace MSOnlineBackup;

/// <summary>How a file of the module stands.</summary>
public enum OBModuleFileState
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

/// <summary>A file of the module, compared with the hash that was shipped with it.</summary>
public sealed class OBModuleFile
{
    /// <summary>Its path, relative to the module's folder, with slashes.</summary>
    public string Path { get; internal init; } = "";

    /// <summary>How it stands.</summary>
    public OBModuleFileState State { get; internal init; }

    /// <summary>The module's folder.</summary>
    public string Folder { get; internal init; } = "";

    /// <summary>As in "module/bin/obengine.dll: Changed".</summary>
    public override string ToString() => $"{Path}: {State}";
}
