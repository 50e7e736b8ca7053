using System.Security.Cryptography;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>
/// The codes that are typed: eight characters of 32, in two groups. Anybody who reads the vault can try them, so there are 2^40 of them, and each trial is slow.
/// </summary>
internal static class ConsentCode
{
    // Without those that look like others.
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int Length = 8;

    /// <summary>A new code, as it is shown.</summary>
    public static string Create()
    {
        string code = RandomNumberGenerator.GetString(Alphabet, Length);
        return $"{code[..(Length / 2)]}-{code[(Length / 2)..]}";
    }

    /// <summary>A code as it is hashed: groups, case, and letters that look like digits make no difference. Null where it can be none.</summary>
    public static string? Normalize(string typed)
    {
        string code = string.Concat(typed.Where(letter => letter is not (' ' or '-')).Select(letter => char.ToUpperInvariant(letter) switch
        {
            'O' => '0',
            'I' or 'L' => '1',
            var other => other,
        }));
        return code.Length == Length && code.All(Alphabet.Contains) ? code : null;
    }
}
