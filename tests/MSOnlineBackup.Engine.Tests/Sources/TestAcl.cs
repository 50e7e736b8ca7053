using System.Buffers.Binary;

namespace MSOnlineBackup.Engine.Tests.Sources;

/// <summary>Attribute values in the kernel's form.</summary>
internal static class TestAcl
{
    /// <summary>cap_net_bind_service=ep as struct vfs_cap_data, revision 2.</summary>
    public static readonly byte[] NetBindCapability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>u::rw-, user:X:rw-, g::r--, m::rw-, o::r--</summary>
    public static byte[] ForUser(uint user)
    {
        byte[] acl = new byte[4 + (5 * 8)];
        BinaryPrimitives.WriteUInt32LittleEndian(acl, 2);
        Write(0, 0x01, 6, uint.MaxValue);
        Write(1, 0x02, 6, user);
        Write(2, 0x04, 4, uint.MaxValue);
        Write(3, 0x10, 6, uint.MaxValue);
        Write(4, 0x20, 4, uint.MaxValue);
        return acl;

        void Write(int index, ushort tag, ushort permissions, uint id)
        {
            Span<byte> entry = acl.AsSpan(4 + (index * 8));
            BinaryPrimitives.WriteUInt16LittleEndian(entry, tag);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], permissions);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], id);
        }
    }
}
