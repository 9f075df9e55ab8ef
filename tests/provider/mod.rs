//! The same tests for every provider: each is a function of a provider, and `suite!` lists them.

pub mod agreement;
pub mod keys;
pub mod signing;
pub mod symmetric;

/// Makes one module of tests for each `name = fn() -> Provider`.
macro_rules! suite {
    ($($name:ident = $provider:path;)*) => {$(
        mod $name {
            $crate::provider::tests! { $provider;
                symmetric: a_sealed_body_opens_again, a_changed_byte_anywhere_is_refused,
                    a_missing_tag_is_refused, a_key_of_another_length_is_refused,
                    parts_seal_like_their_concatenation, parts_of_another_length_are_refused,
                    record_limits_are_those_of_the_standard, hashing_forks_and_goes_on,
                    hmac_agrees_with_its_prepared_key, expansion_is_bounded, short_outputs_are_refused;
                agreement: both_sides_agree_in_every_group, a_key_of_zeros_is_refused,
                    an_all_zero_x25519_secret_is_refused, a_compressed_point_is_refused,
                    a_point_not_on_the_curve_is_refused, a_share_of_another_length_is_refused,
                    the_hybrid_offers_its_x25519_key_alone_too, the_hybrid_puts_ml_kem_first,
                    the_hybrid_checks_the_modulus, another_group_cannot_be_chosen,
                    a_source_without_entropy_is_reported;
                signing: each_encoding_loads_to_the_same_key, each_scheme_signs_and_verifies,
                    each_hash_on_each_curve_verifies_certificates, p521_verifies_handshakes,
                    a_public_part_that_does_not_fit_is_refused,
                    a_scheme_of_another_key_is_refused, a_signature_for_other_bytes_is_refused,
                    a_key_of_another_type_is_refused, a_curve_other_than_the_schemes_is_refused,
                    a_short_rsa_key_is_refused, a_compressed_public_key_is_refused,
                    a_certificate_scheme_does_not_verify_handshakes, signing_without_entropy_is_reported,
                    a_pss_salt_is_as_long_as_the_hash,
                    pss_salts_are_fresh;
            }
        }
    )*};
}

macro_rules! tests {
    ($provider:path; $($module:ident: $($test:ident),*;)*) => {
        $($(#[test]
        fn $test() {
            $crate::provider::$module::$test(&$provider());
        })*)*
    };
}

pub(crate) use suite;
pub(crate) use tests;
