namespace MSOnlineBackup.Engine.Sources.Rules;

/// <summary>What about a source, or its volume, may make it a bad one. A profile says of each whether such sources are taken, and somebody may allow it.</summary>
public enum SourceKind
{
    /// <summary>It is held in memory, and gone after a restart.</summary>
    Memory,

    /// <summary>It is on a disk whose content a cloud does not keep.</summary>
    Temporary,

    /// <summary>It is on another machine, or made by a program.</summary>
    Network,

    /// <summary>Several machines write to its volume.</summary>
    Cluster,

    /// <summary>A service brings it to other machines, or keeps what it needs for that beside it.</summary>
    Replicated,

    /// <summary>It is a container's own layer, and goes with the container.</summary>
    Container,

    /// <summary>Its disk can be taken out.</summary>
    Removable,

    /// <summary>It is on an optical medium.</summary>
    Optical,

    /// <summary>Its volume cannot be written to.</summary>
    ReadOnly,

    /// <summary>Files in it whose content is in a cloud, and which reading fetches.</summary>
    Placeholder,
}

/// <summary>What becomes of a source of some kind.</summary>
internal enum SourceTreatment
{
    /// <summary>It is taken.</summary>
    Take,

    /// <summary>It is taken, with a warning.</summary>
    Warn,

    /// <summary>It is not taken.</summary>
    Refuse,
}
