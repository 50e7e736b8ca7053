using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>A target that is looked at and never changed.</summary>
/// <param name="target">The target; null where it does not exist yet.</param>
internal sealed class RehearsalTarget(IRestoreTarget? target) : IRestoreTarget
{
    public int MostOpenFiles => target?.MostOpenFiles ?? int.MaxValue;

    public bool CanHave(ReadOnlySpan<byte> name) => target?.CanHave(name) ?? (!OperatingSystem.IsWindows() || MappedName.IsPossible(name));

    // Two that are one there are two to restore: what a rehearsal counts is the same.
    public bool IgnoresCase(EntryPath folder) => false;

    public ManifestEntry? Find(EntryPath path) => target?.Find(path);

    public bool HasMetadata(ManifestEntry entry) => target!.HasMetadata(entry);

    public Action? OpenDirectory(EntryPath path, bool unlock) => null;

    public bool HoldsItems(EntryPath folder) => target!.HoldsItems(folder);

    public void Remove(EntryPath path)
    {
    }

    public IRestoreFile CreateFile(ManifestEntry entry) => Nothing.Instance;

    public void CreateSpecial(ManifestEntry entry, bool replace, Action<BackupException> reportMetadata)
    {
    }

    public bool TryCreateHardLink(EntryPath path, EntryPath existing, bool replace) => true;

    public void SetMetadata(ManifestEntry entry, bool freeze, Action<BackupException> reportMetadata)
    {
    }

    public void Freeze(ManifestEntry entry, Action<BackupException> reportMetadata)
    {
    }

    public int Read(ManifestEntry existing, long offset, Span<byte> destination) => target!.Read(existing, offset, destination);

    public bool IsZero(ManifestEntry existing, long offset, long length) => target!.IsZero(existing, offset, length);

    public bool CanHaveStream(ReadOnlySpan<byte> name) => target?.CanHaveStream(name) ?? true;

    public Stream? OpenStream(EntryPath path, ReadOnlyMemory<byte> name) => target?.OpenStream(path, name);

    public Stream OpenRead(EntryPath path) => target!.OpenRead(path);

    public void Synchronize()
    {
    }

    // The target is its owner's.
    public void Dispose()
    {
    }

    private sealed class Nothing : IRestoreFile
    {
        public static Nothing Instance { get; } = new();

        public void Write(long offset, ReadOnlySpan<byte> content)
        {
        }

        public void CopyFrom(ManifestEntry existing, long offset, long length)
        {
        }

        public void Complete(bool replace, bool freeze, Action<BackupException> reportMetadata)
        {
        }

        public void Dispose()
        {
        }
    }
}
