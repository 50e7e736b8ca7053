using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace MSOnlineBackup;

/// <summary>Something that is backed up as a whole: a folder tree, a file, or the system state.</summary>
public sealed class OBDataSource
{
    /// <summary>The name of the system state among sources.</summary>
    internal const string SystemState = "System State";

    /// <summary>Its number, which follows from its name and never changes; 0 in a draft.</summary>
    public long DataSourceId { get; internal init; }

    /// <summary>Its path, or "System State".</summary>
    public string DataSourceName { get; internal init; } = "";

    /// <summary>Always empty: no writer of the original's volume snapshots stands behind it.</summary>
    public Guid WriterId { get; internal init; }

    /// <summary>Always empty, likewise.</summary>
    public Guid ApplicationId { get; internal init; }

    /// <summary>What of the policy concerns it: its own specification first, then what is left out of it.</summary>
    public OBFileSpec[] FileSpecs { get; internal init; } = [];

    /// <summary>The number of a source: 1 to 2^31 - 1. The same in policies and jobs, whatever else there is and was.</summary>
    internal static long NumberOf(string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        return Math.Max(1, BinaryPrimitives.ReadUInt32BigEndian(hash) >> 1);
    }

    /// <summary>All of it, by line.</summary>
    public override string ToString() =>
        $"DataSource\nDatasourceId:{DataSourceId}\nName:{DataSourceName}\n{string.Concat(FileSpecs.Select(spec => $"FileSpec:{spec}\n"))}";
}
