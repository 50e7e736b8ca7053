using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Windows;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using Microsoft.Win32.SafeHandles;

namespace MSOnlineBackup.Engine.Restore.Targets.Windows;

/// <summary>Gives items of Windows their metadata back. What comes from another system has times only.</summary>
internal static class WindowsMetadata
{
    // Read-only, hidden, system, archive, not indexed: what may be set by attributes alone.
    private const uint SettableAttributes = 0x1 | 0x2 | 0x4 | 0x20 | 0x2000;
    private const uint NormalAttribute = 0x80;

    /// <summary>What a handle must allow for <see cref="Set"/>; the owner may be refused.</summary>
    public const uint Access = WindowsNative.WriteAttributes | WindowsNative.ReadAttributes | WindowsNative.WriteAccessList | WindowsNative.ReadControl;

    /// <summary>The Windows attributes of an entry; null for one of another system.</summary>
    public static uint? AttributesOf(ManifestEntry entry) =>
        (uint?)entry.WindowsAttributes;

    /// <summary>An attribute's value; null where the entry has none.</summary>
    public static ReadOnlyMemory<byte>? Find(ManifestEntry entry, AttributeTag tag)
    {
        foreach (EntryAttribute attribute in entry.Attributes)
        {
            if (attribute.Tag == tag)
            {
                return attribute.Value;
            }
        }

        return null;
    }

    /// <summary>Writes the streams that stand in an entry.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="at">The item, or the folder that holds it.</param>
    /// <param name="item">The item's name there; empty for the item itself.</param>
    /// <param name="path">The item's full path, for messages.</param>
    /// <param name="report">Told of those that could not be written.</param>
    public static void SetStreams(ManifestEntry entry, SafeFileHandle at, string item, string path, Action<BackupException> report)
    {
        foreach (EntryAttribute attribute in entry.Attributes)
        {
            if (attribute.Tag != AttributeTag.NamedStream)
            {
                continue;
            }

            try
            {
                using var stream = WindowsRestoreStream.Create(at, item, attribute.Name.Span, attribute.Value.Length, path);
                stream.Write(0, attribute.Value.Span);
                stream.Complete();
            }
            catch (BackupException fault) when (RestoreFault.IsOfOneItem(fault))
            {
                report(WindowsRestoreError.OfStream(fault, EntryName.Escape(attribute.Name.Span), path));
            }
        }
    }

    /// <summary>Sets security unless it is to be skipped, then times and attributes: read-only last.</summary>
    public static void Set(ManifestEntry entry, SafeFileHandle handle, bool skipSecurity, string path, Action<BackupException> report)
    {
        if (!skipSecurity && Find(entry, AttributeTag.WindowsSecurityDescriptor) is ReadOnlyMemory<byte> descriptor)
        {
            int result = WindowsNative.SetSecurity(handle, descriptor.Span, withOwner: true);
            if (result != 0)
            {
                report(WindowsRestoreError.OfMetadata(result, "The owner", path));
                result = WindowsNative.SetSecurity(handle, descriptor.Span, withOwner: false);
                if (result != 0)
                {
                    report(WindowsRestoreError.OfMetadata(result, "The access list", path));
                }
            }
        }

        uint attributes = (AttributesOf(entry) ?? 0) & SettableAttributes;
        int error = WindowsNative.SetBasic(
            handle, FileTime(entry.Metadata.Created), FileTime(entry.Metadata.Modified), attributes != 0 ? attributes : NormalAttribute);
        if (error != 0)
        {
            report(WindowsRestoreError.OfMetadata(error, "Times or attributes", path));
        }

        long FileTime(ItemTime? time)
        {
            if (time is { } known && WindowsRecord.ToFileTime(known) is null)
            {
                report(WindowsRestoreError.TimeOutOfRange(known, path));
            }

            return time is { } other ? WindowsRecord.ToFileTime(other) ?? 0 : 0;
        }
    }
}
