using MSOnlineBackup.Disks.Volumes;

namespace MSOnlineBackup.Disks.Ext4;

/// <summary>What a file system has that not every ext2 has, in the superblock's three words of bits. Names are those of <c>tune2fs</c>.</summary>
/// <param name="Compatible">What an older reader may ignore.</param>
/// <param name="Incompatible">What it must know.</param>
/// <param name="ReadOnlyCompatible">What it may ignore as long as it only reads.</param>
internal readonly record struct Ext4Features(uint Compatible, uint Incompatible, uint ReadOnlyCompatible)
{
    private const uint FileTypeBit = 0x2;
    private const uint RecoverBit = 0x4;
    private const uint MetaGroupsBit = 0x10;
    private const uint SixtyFourBit = 0x80;
    private const uint ChecksumSeedBit = 0x2000;
    private const uint LargeFolderBit = 0x4000;

    // What ext3 knew of the two words that make a file system an ext4.
    private const uint Ext3Incompatible = FileTypeBit | RecoverBit | MetaGroupsBit;
    private const uint Ext3ReadOnlyCompatible = 0x7;

    // extent 0x40, mmp 0x100, flex_bg 0x200, ea_inode 0x400, inline_data 0x8000, encrypt 0x10000 (file by file), casefold 0x20000 (names, by exact ones).
    private const uint Known =
        FileTypeBit | RecoverBit | MetaGroupsBit | 0x40 | SixtyFourBit | 0x100 | 0x200 | 0x400 | ChecksumSeedBit | LargeFolderBit | 0x8000 | 0x10000 | 0x20000;

    /// <summary>Whether entries of folders have a type.</summary>
    public bool HasFileTypes => (Incompatible & FileTypeBit) != 0;

    /// <summary>Whether the journal has what is not yet in its place.</summary>
    public bool NeedsRecovery => (Incompatible & RecoverBit) != 0;

    /// <summary>Whether descriptors of groups lie with their groups.</summary>
    public bool HasMetaGroups => (Incompatible & MetaGroupsBit) != 0;

    /// <summary>Whether numbers of blocks have 64 bits.</summary>
    public bool Has64Bit => (Incompatible & SixtyFourBit) != 0;

    /// <summary>Whether the seed of checksums is kept apart from the UUID.</summary>
    public bool HasChecksumSeed => (Incompatible & ChecksumSeedBit) != 0;

    /// <summary>Whether folders may be as large as files.</summary>
    public bool HasLargeFolders => (Incompatible & LargeFolderBit) != 0;

    /// <summary>Whether metadata have checksums.</summary>
    public bool HasChecksums => (ReadOnlyCompatible & 0x400) != 0;

    /// <summary>Whether only some groups have copies of the superblock.</summary>
    public bool HasSparseCopies => (ReadOnlyCompatible & 0x1) != 0;

    /// <summary>Whether only two groups have copies of the superblock, which it names.</summary>
    public bool HasNamedCopies => (Compatible & 0x200) != 0;

    /// <summary>The name of the file system, as <c>blkid</c> tells it.</summary>
    public string Kind =>
        (Incompatible & 0x8) != 0 ? "jbd"
        : (Incompatible & ~Ext3Incompatible) != 0 || (ReadOnlyCompatible & ~Ext3ReadOnlyCompatible) != 0 ? "ext4"
        : (Compatible & 0x4) != 0 ? "ext3" : "ext2";

    /// <summary>Refuses what is not known.</summary>
    /// <exception cref="Vaults.Errors.BackupException">VolumeUnsupported, with the feature's name.</exception>
    public void RequireKnown(VolumeSource source)
    {
        uint unknown = Incompatible & ~Known;
        if (unknown != 0)
        {
            uint first = unknown & (~unknown + 1);
            string name = first switch
            {
                0x1 => "compression",
                0x8 => "journal_dev",
                0x1000 => "dirdata",
                _ => FormattableString.Invariant($"0x{first:x} (incompatible)"),
            };
            throw source.Unsupported($"it has the feature {name}");
        }
    }
}
