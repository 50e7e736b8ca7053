using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MSOnlineBackup.Testing;

/// <summary>A folder that the kernel encrypts (fscrypt, policies of version 2), and its key.</summary>
public sealed unsafe partial class EncryptedFolder : IDisposable
{
    private const ulong SetPolicy = 0x800C_6613;
    private const ulong AddKey = 0xC050_6617;
    private const ulong RemoveKey = 0xC040_6618;

    private readonly string _volume;
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(64);
    private readonly byte[] _identifier = new byte[16];

    private EncryptedFolder(string volume) => _volume = volume;

    /// <summary>Makes an empty folder an encrypted one, unlocked.</summary>
    public static EncryptedFolder Encrypt(string folder)
    {
        var made = new EncryptedFolder(Path.GetDirectoryName(folder)!);
        made.Unlock();

        // struct fscrypt_policy_v2: version, AES-256-XTS for contents, AES-256-CTS for names, padding to 32 bytes, and the key.
        byte[] policy = new byte[24];
        (policy[0], policy[1], policy[2], policy[3]) = (2, 1, 4, 3);
        made._identifier.CopyTo(policy, 8);
        Call(folder, SetPolicy, policy);
        return made;
    }

    /// <summary>Gives the kernel the key.</summary>
    public void Unlock()
    {
        // struct fscrypt_add_key_arg: kind of the key's name (4), 4, name (32, told back), length (4), id (4), 32; then the key.
        byte[] argument = new byte[80 + _key.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(argument, 2);
        BinaryPrimitives.WriteUInt32LittleEndian(argument.AsSpan(40), (uint)_key.Length);
        _key.CopyTo(argument, 80);
        Call(_volume, AddKey, argument);
        argument.AsSpan(8, 16).CopyTo(_identifier);
    }

    /// <summary>Takes the key away from the kernel.</summary>
    public void Lock()
    {
        byte[] argument = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(argument, 2);
        _identifier.CopyTo(argument, 8);
        Call(_volume, RemoveKey, argument);
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_key);

    private static void Call(string folder, ulong request, byte[] argument)
    {
        int handle = Open(folder, 0x1_0000);
        if (handle < 0)
        {
            throw new InvalidOperationException($"'{folder}' cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        fixed (byte* bytes = argument)
        {
            int result = Control(handle, request, bytes);
            string problem = Marshal.GetLastPInvokeErrorMessage();
            _ = Close(handle);
            if (result < 0)
            {
                throw new InvalidOperationException($"The call {request:x} for '{folder}' failed: {problem}");
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int handle, ulong request, byte* argument);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);
}
