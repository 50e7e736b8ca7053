using System.Buffers.Binary;
using System.Collections.Concurrent;
using MSOnlineBackup.Engine.Errors;
using MSOnlineBackup.Engine.RecoveryPoints;
using MSOnlineBackup.Engine.Sources.Unix;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>
/// Gives items their metadata back, in the order that lets nothing undo what was set before it: the owner first (which
/// takes away set-id bits and capabilities), then extended attributes, mode, flags, and the times last.
/// </summary>
/// <param name="system">The calls.</param>
/// <param name="skipSecurity">Whether owner, mode and attributes that decide who may do what are left as they are.</param>
/// <remarks>What an account or a file system refuses as such (owners without being root, attributes that it cannot
/// keep) is reported for the first item only: the others would say the same. For several threads.</remarks>
internal sealed class UnixMetadata(UnixSystem system, bool skipSecurity)
{
    private const uint PermissionBits = 0x1FF;
    private const uint StickyBit = 0x200;
    private const uint AllBits = 0xFFF;

    // From 1980, where FAT begins, to January 2038, where signed 32-bit seconds end.
    private const long FirstCommonTime = 315_532_800;
    private const long LastCommonTime = 0x7FFF_FFFF;

    private readonly ConcurrentDictionary<string, bool> _reported = new();

    private static ReadOnlySpan<byte> AccessList => "system.posix_acl_access"u8;

    private static ReadOnlySpan<byte> DefaultAccessList => "system.posix_acl_default"u8;

    /// <summary>The mode to create a file with, so that it need not be changed where owner and umask allow.</summary>
    public uint CreationMode(ManifestEntry entry)
    {
        if (skipSecurity || IsForeign(entry))
        {
            return 0x1B6; // rw-rw-rw- less the umask
        }

        // Whoever sets extended attributes without being root needs the right to write.
        uint mode = entry.Metadata.Mode & PermissionBits;
        return entry.Attributes.Count > 0 ? mode | 0x180 : mode;
    }

    /// <summary>Whether what is created in a folder gets an access list that the folder hands on.</summary>
    public bool HandsOnAccessList(int folder) =>
        system.GetAttribute(new UnixNode(-1, folder, "."u8), DefaultAccessList, []) > 0;

    /// <summary>The flags that an entry has on this platform; 0 for none.</summary>
    public uint FlagsOf(ManifestEntry entry)
    {
        foreach (EntryAttribute attribute in entry.Attributes)
        {
            if (attribute.Tag == AttributeTag.InodeFlags && attribute.Value.Length == 4 && attribute.Name.Span.SequenceEqual(system.FlagsName))
            {
                return BinaryPrimitives.ReadUInt32LittleEndian(attribute.Value.Span);
            }
        }

        return 0;
    }

    /// <summary>Sets everything but flags.</summary>
    /// <param name="entry">What to set.</param>
    /// <param name="node">The item.</param>
    /// <param name="current">What it is now.</param>
    /// <param name="inherited">Whether it may have an access list that it should not have.</param>
    /// <param name="path">Its full path, raw.</param>
    /// <param name="report">Told what could not be set.</param>
    public void Set(
        ManifestEntry entry, UnixNode node, in UnixStat current, bool inherited, ReadOnlySpan<byte> path, Action<BackupException> report)
    {
        bool touched = false;
        if (!IsForeign(entry))
        {
            bool owned = !skipSecurity && SetOwner(entry.Metadata, node, current, path, report, ref touched);
            SetAttributes(entry, node, inherited && !skipSecurity, path, report, ref touched);
            if (!skipSecurity)
            {
                SetMode(entry, node, current, owned, touched, path, report);
            }
        }

        SetModified(entry.Metadata.Modified, node, path, report);
    }

    /// <summary>Adds flags to an open file or folder.</summary>
    public void AddFlags(int handle, uint flags, ReadOnlySpan<byte> path, Action<BackupException> report)
    {
        int result = flags == 0 ? 0 : system.AddFlags(handle, flags);
        if (result < 0)
        {
            Report(
                "flags", result, "Flags", "Run the restore as root, to a file system that has such flags, where they matter.", path, report);
        }
    }

    // A file system sets the nearest time that it can hold, and says nothing. Times that all of them hold need no look.
    private void SetModified(ItemTime time, UnixNode node, ReadOnlySpan<byte> path, Action<BackupException> report)
    {
        int result = system.SetModified(node, time);
        UnixStat now = default;
        bool common = time.Seconds is >= FirstCommonTime and < LastCommonTime;
        if (result >= 0 && !common)
        {
            result = node.IsOpen ? system.Stat(node.Handle, out now) : system.Stat(node.At, node.Name, out now);
        }

        if (result < 0)
        {
            report(UnixRestoreError.OfMetadata(result, "The time", "See whether the file system keeps such times.", path));
        }
        else if (!common && now.Modified.Seconds != time.Seconds)
        {
            report(UnixRestoreError.TimeOutOfRange(time, now.Modified, path));
        }
    }

    // From Windows come neither owner nor mode nor attributes that mean anything here.
    private static bool IsForeign(ManifestEntry entry)
    {
        foreach (EntryAttribute attribute in entry.Attributes)
        {
            if (attribute.Tag == AttributeTag.WindowsAttributes)
            {
                return true;
            }
        }

        return false;
    }

    // On Linux everything outside the users' own namespace belongs to the system: capabilities, labels, access lists.
    private static bool IsSecurity(ReadOnlySpan<byte> name) =>
        OperatingSystem.IsMacOS() ? name.StartsWith("com.apple.system.Security"u8) : !name.StartsWith("user."u8);

    private bool SetOwner(
        EntryMetadata metadata,
        UnixNode node,
        in UnixStat current,
        ReadOnlySpan<byte> path,
        Action<BackupException> report,
        ref bool touched)
    {
        if (current.UserId == metadata.UserId && current.GroupId == metadata.GroupId)
        {
            return true;
        }

        touched = true;
        int result = system.ChangeOwner(node, metadata.UserId, metadata.GroupId);
        if (result < 0)
        {
            // Not root: the group may still be one of this account's own.
            const uint Same = uint.MaxValue;
            if (system.ChangeOwner(node, Same, metadata.GroupId) >= 0 && current.UserId == metadata.UserId)
            {
                return true;
            }

            Report("owner", result, "The owner", "Run the restore as root where owners matter.", path, report);
        }

        return result >= 0;
    }

    private void SetAttributes(
        ManifestEntry entry, UnixNode node, bool inherited, ReadOnlySpan<byte> path, Action<BackupException> report, ref bool touched)
    {
        bool hasAccessList = false;
        bool hasDefault = false;
        foreach (EntryAttribute attribute in entry.Attributes)
        {
            bool isFork = attribute.Tag == AttributeTag.NamedStream && OperatingSystem.IsMacOS();
            if (attribute.Tag != AttributeTag.ExtendedAttribute && !isFork)
            {
                continue;
            }

            ReadOnlySpan<byte> name = attribute.Name.Span;
            if (skipSecurity && IsSecurity(name))
            {
                continue;
            }

            hasAccessList |= name.SequenceEqual(AccessList);
            hasDefault |= name.SequenceEqual(DefaultAccessList);
            touched = true;
            int result = system.SetAttribute(node, name, attribute.Value.Span);
            if (result < 0)
            {
                string text = EntryName.Escape(name);
                Report(
                    text, result, $"The attribute '{text}'", "Run the restore as root, to a file system that keeps such attributes, where they matter.", path, report);
            }
        }

        if (inherited && entry.Kind != EntryKind.SymbolicLink)
        {
            touched |= !hasAccessList && system.RemoveAttribute(node, AccessList) >= 0;
            touched |= !hasDefault && entry.Kind == EntryKind.Directory && system.RemoveAttribute(node, DefaultAccessList) >= 0;
        }
    }

    private void SetMode(
        ManifestEntry entry,
        UnixNode node,
        in UnixStat current,
        bool owned,
        bool touched,
        ReadOnlySpan<byte> path,
        Action<BackupException> report)
    {
        // A program that runs as its owner must not run as another one.
        uint mode = entry.Metadata.Mode & (owned ? AllBits : PermissionBits | StickyBit);
        if (entry.Kind == EntryKind.SymbolicLink || (!touched && (current.Mode & AllBits) == mode))
        {
            return;
        }

        int result = system.ChangeMode(node, mode);
        if (result < 0)
        {
            Report("mode", result, "The permissions", "Restore to a file system that keeps permissions where they matter.", path, report);
        }
    }

    private void Report(string key, int result, string what, string action, ReadOnlySpan<byte> path, Action<BackupException> report)
    {
        bool general = result == -Errno.NotPermitted || result == -Errno.NotSupported || result == -Errno.NotTerminal;
        if (general && !_reported.TryAdd(key, true))
        {
            return;
        }

        report(UnixRestoreError.OfMetadata(
            result, what, general ? action + " Further items that this concerns are not reported." : action, path));
    }
}
